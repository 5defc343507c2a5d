// The command line and the settings, as whoever starts the daemon by hand meets them.
import CEpollShim
import Glibc
import TestSupport
import Testing

@Suite struct CommandLineTests {
    /// Runs the daemon to its end: what it printed, and how it ended.
    private func run(
        _ arguments: [String], _ settings: [String: String] = [:]
    ) throws -> (output: String, exit: Spawned.Exit) {
        let box = try Box()
        // The units of this machine are not the test's.
        let environment = DaemonProcess.settings(in: box)
            .merging(["SYSTEMD_UNIT_PATH": try box.makeFolder("units")]) { _, given in given }
            .merging(settings) { _, given in given }
        let program = try PipedProgram([DaemonProcess.binary] + arguments, environment: environment)
        return (try program.output.rest().text, try program.process.wait())
    }

    /// A broken pipe must not end it before it has said by its status what is wrong.
    @Test func `a reader that has gone does not hide the reason`() throws {
        let null = try checked("open", open("/dev/null", O_RDWR | O_CLOEXEC))
        var pipe: [Int32] = [-1, -1]
        try checked("pipe", shim_pipe(&pipe, 0, 0))
        close(pipe[0])
        defer { for descriptor in [null, pipe[1]] { close(descriptor) } }
        let process = try Spawned(
            [DaemonProcess.binary], environment: ["DOKKU_DAEMON_MAX_LINE": "many"],
            descriptors: [null, pipe[1], pipe[1]])
        #expect(try process.wait() == .status(EX_CONFIG))
    }

    @Test func `the program prints its help and its version`() throws {
        let help = try run(["-h"])
        #expect(help.output.hasPrefix("Usage: ") && help.exit == .status(0))
        let version = try run(["-v"])
        #expect(version.output.hasPrefix("Version ") && version.exit == .status(0))
    }

    @Test func `the long options do what they do elsewhere`() throws {
        let help = try run(["--help"])
        #expect(help.output.contains("Usage: dokku-daemon") && help.exit == .status(0))
        for option in ["--help", "--version", "--check"] { #expect(help.output.contains(option)) }
        let version = try run(["--version"])
        #expect(version.output.hasPrefix("dokku-daemon ") && version.exit == .status(0))
    }

    @Test(arguments: [["-x"], ["--halp"], ["serve"]])
    func `an unknown option is an error`(arguments: [String]) throws {
        let (output, exit) = try run(arguments)
        #expect(output.hasPrefix("Error: ") && output.contains(arguments[0]))
        #expect(exit == .status(1))
    }

    @Test(arguments: [
        "MAX_LINE", "MAX_INPUT", "MAX_BUFFER", "MAX_CONNECTIONS", "MAX_QUEUE", "MAX_OPEN", "MAX_FOLLOW",
        "MAX_OUTPUT",
        "MAX_SPOOL", "MAX_JOBS", "MAX_KEPT", "KEEP", "TIMEOUT", "KILL_GRACE", "DRAIN_GRACE", "STOP_GRACE",
        "IDLE_EXIT", "LISTENER",
    ]) func `a wrong setting is named`(setting: String) throws {
        let name = "DOKKU_DAEMON_" + setting
        for value in ["many", "-1", "1x", "0x10"] {
            let (output, exit) = try run([], [name: value])
            #expect(output.contains("Error: \(name) is \"\(value)\", but must be "), "\(output)")
            #expect(exit == .status(78))
        }
    }

    @Test func `all wrong settings are named at once`() throws {
        let wrong = [
            "DOKKU_DAEMON_TIMEOUT": "many", "DOKKU_LOCK_PATH": "lock", "DOKKU_DAEMON_JOURNAL": "maybe",
        ]
        let (output, exit) = try run([], wrong)
        for (name, value) in wrong { #expect(output.contains("Error: \(name) is \"\(value)\""), "\(output)") }
        #expect(exit == .status(78))
    }

    @Test func `a check says what is wrong and ends`() throws {
        let box = try Box()
        let good = try box.write("DOKKU_DAEMON_TIMEOUT=60\n", to: "good")
        #expect(try run(["--check", good]).exit == .status(0))
        let settings = "DOKKU_DAEMON_TIMEOUT=60 # a minute\nexport DOKKU_X=1\nDOKKU_DAEMON_TIMEOUTS=1\n"
        let bad = try box.write(settings, to: "bad")
        let (output, exit) = try run(["--check", good, bad], ["DOKKU_DAEMON_MAX_LINE": "0"])
        #expect(exit == .status(78))
        #expect(output.contains("DOKKU_DAEMON_TIMEOUT is \"60 # a minute\""), "\(output)")
        #expect(output.contains("DOKKU_DAEMON_MAX_LINE is \"0\""), "the environment counts, too: \(output)")
        #expect(output.contains("DOKKU_DAEMON_TIMEOUTS") && output.contains("export DOKKU_X"))
        #expect(!box.has("socket") && !box.has("lock"), "nothing is touched")
        let corrected = try run(["--check", bad, good])
        #expect(corrected.exit == .status(0), "the later file counts: \(corrected.output)")
        #expect(
            try run(["--check", box.path("none")]).exit == .status(78), "a file that was named must be there")
    }

    // MARK: Rights

    /// A folder with socket units and lists, and the settings that lead there.
    private func rights(_ units: [String: String], lists: [String: String]) throws -> (Box, [String: String])
    {
        let box = try Box()
        for folder in ["units", "allow"] { _ = try box.makeFolder(folder) }
        for (name, rules) in units {
            try box.write(
                "[Socket]\nListenStream=/run/\(name).sock\nService=dokku-daemon.service\nFileDescriptorName=\(rules)\n",
                to: "units/\(name).socket")
        }
        for (name, text) in lists { try box.write(text, to: "allow/\(name)") }
        return (
            box,
            [
                "SYSTEMD_UNIT_PATH": box.path("units"), "DOKKU_DAEMON_ALLOW_DIR": box.path("allow"),
                "DOKKU_SYSTEM_USER": "nobody",
            ]
        )
    }

    @Test func `a check says what each socket may do`() throws {
        let (box, settings) = try rights(
            ["all": "", "ci": "name=ci,read-only", "blog": "allow=blog", "none": "allow=none"],
            lists: ["blog": "ps:restart blog\nconfig:set blog ... # x\n", "none": "# nothing\n"])
        let (output, exit) = try run(["--check"], settings)
        #expect(exit == .status(0))
        for text in [
            "/run/all.sock (all.socket):\n    everything",
            "/run/ci.sock (ci.socket):\n    commands run as over ssh with the key ci\n    only commands that change",
            "only what \(box.path("allow/blog")) lists:\n        ps:restart blog\n        config:set blog ...\n",
            "    nothing: \(box.path("allow/none")) has no line",
            "Warning: \(box.path("allow/blog")): line 2: config:set may make the client root on this host",
        ] { #expect(output.contains(text), "\(output)") }
    }

    @Test func `a check tells of the daemon's own socket`() throws {
        let (box, settings) = try rights([:], lists: ["blog": "config:set blog ...\n"])
        let own = ["DOKKU_SOCK_PATH": "/run/own.sock", "DOKKU_DAEMON_LISTENER": "allow=blog"]
        let (output, exit) = try run(["--check"], settings.merging(own) { $1 })
        #expect(exit == .status(0))
        for text in [
            "/run/own.sock (DOKKU_SOCK_PATH):\n    only what \(box.path("allow/blog")) lists:\n        config:set blog ...\n",
            "Warning: \(box.path("allow/blog")): line 1: config:set may make",
        ] { #expect(output.contains(text), "\(output)") }
        // Then systemd makes it, with the unit's rules.
        try box.write(
            "[Socket]\nListenStream=/run/own.sock\nService=dokku-daemon.service\nFileDescriptorName=read-only\n",
            to: "units/own.socket")
        let handedOver = try run(["--check"], settings.merging(own) { $1 }).output
        #expect(
            handedOver.contains("/run/own.sock (own.socket):\n    only commands that change nothing")
                && !handedOver.contains("(DOKKU_SOCK_PATH)"), "\(handedOver)")
    }

    @Test func `a check finds what is wrong with the rules of a socket`() throws {
        let (box, settings) = try rights(
            ["odd": "read-onyl", "blog": "allow=blog", "none": "allow=none", "ci": "name=ci"],
            lists: ["blog": "ps:restart blog\n*\n"])
        let (output, exit) = try run(
            ["--check"], settings.merging(["DOKKU_SYSTEM_USER": "no-such-user"]) { $1 })
        #expect(exit == .status(78))
        for text in [
            "odd.socket has FileDescriptorName=read-onyl", "Error: \(box.path("allow/blog")): line 2: ",
            "Error: \(box.path("allow/none")): No such file",
            "name=ci cannot be used: there is no user no-such-user",
        ] { #expect(output.contains(text), "\(output)") }
        #expect(!output.contains("valid"))
    }

    @Test(arguments: [
        ("allow=blog", "ps:restart blog", "yes: BOX/allow/blog, line 2: ps:restart *\n"),
        ("allow=blog", "ps:stop blog", "no: This socket's list of commands does not allow this\n"),
        ("allow=blog,read-only", "ps:restart blog", "no: Not allowed on this read-only socket\n"),
        ("allow=blog", "certs:add blog <", "yes: BOX/allow/blog, line 3: certs:add blog <\n"),
        ("allow=blog", "logs blog -t", "yes: BOX/allow/blog, line 4: logs blog -t\n"),
        ("allow=blog", "daemon:submit ps:restart blog", "yes: BOX/allow/blog, line 5: daemon:submit ...\n"),
        (
            "allow=blog", "daemon:submit ps:stop blog",
            "no: This socket's list of commands does not allow this\n"
        ),
        ("allow=blog", "daemon:version", "yes: it is one of the daemon's own commands\n"),
        (
            "name=ci", "plugin:install x",
            "no: This command needs root, and this socket's commands do not run as root\n"
        ),
        ("name=ci", "postgres:info db", "yes: no rule forbids it (if dokku has this command)\n"),
        ("", "plugin:install x", "yes: no rule forbids it\n"),
    ])
    func `an explanation says yes or no, and which line`(rules: String, command: String, answer: String)
        throws
    {
        let (box, settings) = try rights(
            [:], lists: ["blog": "# x\nps:restart *\ncerts:add blog <\nlogs blog -t\ndaemon:submit ...\n"])
        let words = command.split(separator: " ").map(String.init)
        let (output, exit) = try run(["--explain", rules] + words, settings)
        #expect(output == answer.replacing("BOX", with: box.path))
        #expect(exit == .status(answer.hasPrefix("yes") ? 0 : 1))
    }

    @Test func `an explanation needs rules that are right`() throws {
        let (_, settings) = try rights([:], lists: ["bad": "*\n"])
        #expect(try run(["--explain"]).exit == .status(64))
        #expect(try run(["--explain", "allow=bad"], settings).exit == .status(64))
        for rules in ["allow=bad", "allow=none", "odd", "name="] {
            let (output, exit) = try run(["--explain", rules, "ps:restart"], settings)
            #expect(exit == .status(78) && output.hasPrefix("Error: "), "\(output)")
        }
    }
}

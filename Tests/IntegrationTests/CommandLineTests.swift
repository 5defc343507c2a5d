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
        let environment = DaemonProcess.settings(in: box).merging(settings) { _, given in given }
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
}

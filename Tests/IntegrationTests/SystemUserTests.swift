// Which commands a daemon that is root runs as dokku's user, and what that leaves of what a command is promised.
// `nobody` stands for that user: every Debian has it.
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: geteuid() == 0, "only root can change to another user"))
struct SystemUserTests {
    /// A dokku that says who it is; its folder is open to all.
    private func daemon(_ script: String, settings: [String: String] = [:], program: Bool = true) throws
        -> DaemonProcess
    {
        let box = try Box()
        chmod(box.path, 0o755)
        let listing = """
            #!/bin/sh
            if [ "$1 $2" = "help --all" ]; then
                echo "listing $(id -un)" >>"$STAND_IN_JOURNAL"
                for name in apps:list config:set plugin:list ssh-keys:add; do echo "    $name"; done
                exit
            fi
            echo "start $$ $*" >>"$STAND_IN_JOURNAL"

            """
        let path = box.path("dokku")
        if program { try box.write(listing + script, to: "dokku", mode: 0o755) }
        chmod(box.path("journal"), 0o666)
        let own = ["DOKKU_DAEMON_DOKKU": path, "DOKKU_SYSTEM_USER": "nobody"]
        return try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], settings: own.merging(settings) { $1 })
    }

    @Test func `a command runs as that user`() throws {
        let daemon = try daemon("id -un; id -gn; id -G")
        #expect(try daemon.ask("apps:list") == .good("nobody\nnogroup\n65534"))
        #expect(daemon.box.journal.lines.first == "listing nobody")
        #expect(daemon.errors == "")
    }

    @Test func `commands that dokku runs as root stay root's`() throws {
        let daemon = try daemon("id -un")
        for line in ["plugin:list", "--quiet plugin:list", "--app x plugin:list"] {
            #expect(try daemon.ask(line) == .good("root"), "\(line)")
        }
        for command in [#""ssh-keys:add","me""#, #""--force","ssh-keys:add","me""#] {
            let answer = try daemon.connect().request(#"{"command":[\#(command)],"stdin":"x"}"#)
            #expect(answer["output"] == "root")
        }
        #expect(try daemon.ask("--quiet apps:list plugin:list") == .good("nobody"))
    }

    @Test func `the environment is what sudo leaves`() throws {
        let daemon = try daemon(
            #"echo "$SSH_USER $SUDO_USER $USER $LOGNAME $HOME $PATH ${TMPDIR-none} ${TMP-none} $KEPT""#,
            settings: ["TMPDIR": "/x", "TMP": "/x", "KEPT": "as it was", "HOME": "/root"])
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
        #expect(
            try daemon.ask("apps:list")
                == .good("root root nobody nobody /nonexistent \(path) none none as it was"))
    }

    @Test func `a command gets its words and its input and its session`() throws {
        let daemon = try daemon(
            #"printf '<%s>\n' "$@"; read -r pid name state parent group session rest </proc/$$/stat; "#
                + #"[ $$ = "$group" ] && [ $$ = "$session" ] && echo leads; pwd; cat"#)
        let answer = try daemon.connect().request(
            #"{"command":["config:set","app","A=b \"c\"",""],"stdin":"from the client"}"#)
        #expect(
            answer["output"] == "<config:set>\n<app>\n<A=b \"c\">\n<>\nleads\n/\nfrom the client")
    }

    @Test func `files of a redirection are the daemon's`() throws {
        let daemon = try daemon("cat; id -un")
        let secret = try daemon.box.write("root's own\n", to: "secret", mode: 0o600)
        #expect(try daemon.ask("apps:list < \(secret)") == .good("root's own\nnobody"))
        #expect(try daemon.ask("apps:list > \(secret)") == .good(""))
        #expect(try daemon.box.read("secret") == "nobody\n")
    }

    @Test func `a command of another user is ended as any other`() throws {
        let daemon = try daemon("sleep 1000", settings: ["DOKKU_DAEMON_TIMEOUT": "0.1"])
        let answer = try daemon.connect().request(#"{"command":"apps:list"}"#)
        #expect(answer["error"] == "timeout" && answer["signal"] == "SIGTERM")
    }

    @Test func `a program that is missing has not run`() throws {
        let daemon = try daemon("true")
        unlink(daemon.box.path("dokku"))
        let client = try daemon.connect()
        #expect(try client.request(#"{"command":"apps:list"}"#)["error"] == "spawn_failed")
        try daemon.box.write("#!/bin/sh\n", to: "dokku", mode: 0o644)
        let answer = try client.request(#"{"command":"apps:list"}"#)
        #expect(answer["error"] == "spawn_failed")
        #expect(answer["output"]?.text?.hasSuffix("Permission denied") == true)
        let long = String(repeating: "x", count: 500_000)
        chmod(daemon.box.path("dokku"), 0o755)
        #expect(try client.request(#"{"command":["apps:list","\#(long)"]}"#)["error"] == "spawn_failed")
    }

    @Test(arguments: ["root", "nobody-of-that-name"])
    func `the daemon's user stays if there is nobody to change to`(name: String) throws {
        let daemon = try daemon("id -un; echo $SUDO_USER", settings: ["DOKKU_SYSTEM_USER": name])
        #expect(try daemon.ask("apps:list") == .good("root"))
    }
}

// Sockets with rules of their own, each and in combination.
import Glibc
import TestSupport
import Testing

@Suite struct ListenerOptionTests {
    /// A daemon with an unruled socket, and one with the options, whose path is `ruled`.
    private func daemon(_ options: String) throws -> (daemon: DaemonProcess, ruled: String) {
        let box = try Box()
        let sockets = [
            try BoundSocket(box.path("socket")), try BoundSocket(box.path("ruled"), name: options),
        ]
        return (try DaemonProcess(box, sockets: sockets), sockets[1].path)
    }

    @Test func `a read-only socket runs nothing that changes or tells`() throws {
        let (daemon, ruled) = try daemon("read-only")
        let client = try daemon.connect(ruled)
        let names = contents(DaemonProcess.standIn + "/commands.txt").text.split(separator: "\n")
            .compactMap { $0.split(separator: " ").first.map(String.init) }
        try #require(names.count > 250)
        for name in names {
            try client.send("\(name) app\n--trace \(name)\n\(name) x < /etc/passwd\n")
        }
        for _ in 0..<(3 * names.count) { _ = try client.reply() }
        let ran = Set(daemon.ran.compactMap { $0.split(separator: " ").first.map(String.init) })
        #expect(ran.count > 40)
        let changing = [
            "add", "allow-host", "auth", "build-config", "cancel", "clear", "clear-config", "clone", "create",
            "destroy",
            "disable", "enable", "exec", "generate", "import", "initialize", "install", "limit", "lock",
            "login", "logout",
            "mount", "off", "on", "prune", "rebuild", "rebuildall", "reload", "remove", "rename", "reserve",
            "reset",
            "restart", "restore", "resume", "rollback", "run", "scale", "set", "start", "stop", "suspend",
            "sync", "trigger",
            "uninstall", "unlock", "unmount", "unset", "update",
        ]
        let telling = [
            "config", "config:show", "config:get", "config:export", "config:bundle", "certs:key", "enter",
            "run", "shell", "logs", "events", "apps:report", "logs:report", "scheduler-k3s:report",
            "traefik:report",
            "cron:list", "run:list", "buildpacks:list", "buildpacks:detect", "git:auth-status",
            "builds:output",
        ]
        for name in ran {
            #expect(!changing.contains(String(name.split(separator: ":").dropFirst().last ?? "")), "\(name)")
            #expect(!telling.contains(name), "\(name)")
        }
        #expect(!daemon.ran.contains { $0.contains("--trace") })
        // The same commands run on the other socket.
        #expect(try daemon.ask("apps:create app").ok)
        #expect(try client.ask("--quiet apps:list") == .good("app"))
        #expect(try client.ask("apps:create:help").ok)
    }

    @Test func `a read-only socket refuses in every form`() throws {
        let (daemon, ruled) = try daemon("read-only")
        let client = try daemon.connect(ruled)
        for line in [
            "apps:create a", "--quiet apps:create a", "--app a config:show", "refresh", "daemon:cancel 1",
            "apps:list > /tmp/never",
            "apps:list < /etc/passwd", "test:args x", "docker-local:set a b c", "apps:list --trace",
            "apps:report ../x", "apps:report a", "logs a", "apps:list --formats json", "--force apps:list",
        ] {
            #expect(try client.ask(line).ok == false, "\(line)")
            #expect(try client.request(#"{"command":"\#(line)"}"#)["ok"] == .bool(false), "\(line)")
        }
        #expect(try client.request(#"{"command":"apps:create a"}"#)["error"] == .text("denied"))
        #expect(try client.request(#"{"command":"apps:list","stdin":""}"#)["error"] == .text("denied"))
        #expect(daemon.ran == [])
        for line in [
            "commands", "daemon:status", "daemon:queue", "apps:list", "ps:help", "apps:report a --app-locked",
        ] {
            #expect(try client.ask(line).ok, "\(line)")
        }
    }

    /// dokku would print what it reads, whatever the command.
    @Test func `a read-only socket runs nothing while dokku traces`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"), name: "read-only")],
            settings: ["DOKKU_ROOT": box.makeFolder("home")])
        let client = try daemon.connect()
        #expect(try client.ask("apps:list").ok)
        _ = try box.makeFolder("home/.dokkurc")
        try box.write("export DOKKU_TRACE=1\n", to: "home/.dokkurc/DOKKU_TRACE")
        let reply = try client.ask("apps:list")
        #expect(!reply.ok && reply.output.contains("trace:off"), "\(reply.output)")
        #expect(try client.request(#"{"command":"ps:help"}"#)["error"] == .text("denied"))
        #expect(try client.ask("daemon:version").ok)
        #expect(unlink(box.path("home/.dokkurc/DOKKU_TRACE")) == 0)
        #expect(try client.ask("apps:list").ok)
        #expect(daemon.ran.count == 2)
    }

    /// Of what is denied in any case nothing is kept: who may only read cannot fill the disk.
    @Test func `a read-only socket keeps no input`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"), name: "read-only")],
            settings: ["DOKKU_DAEMON_MAX_SPOOL": "1000000"])
        let client = try daemon.connect()
        try client.order(#"{"id":1,"command":"apps:create a","stdin_length":2000000}"#)
        // Before the input is there.
        #expect(try client.answer()["error"] == .text("denied"))
        try client.send([UInt8](repeating: 0x0a, count: 2_000_000))
        #expect(try client.request(#"{"id":2,"command":"apps:list"}"#)["id"] == .number(2))
    }

    /// Who may only read cannot take all that others need.
    @Test func `read-only sockets connect only for their share`() throws {
        let box = try Box()
        let sockets = [
            try BoundSocket(box.path("socket")),
            try BoundSocket(box.path("ruled"), name: "read-only"),
        ]
        let daemon = try DaemonProcess(
            box, sockets: sockets, settings: ["DOKKU_DAEMON_MAX_CONNECTIONS": "8"])
        let restricted = try (0..<6).map { _ in try daemon.connect(sockets[1].path) }
        for client in restricted { #expect(try client.ask("daemon:version").ok) }
        #expect(try daemon.connect(sockets[1].path).ask("daemon:version").ok == false)
        #expect(try daemon.ask("test:args x") == .good("<x>"))
    }

    @Test(arguments: ["test:args a", "test:args a\n", "  test:args a\r\n"])
    func `one-shot answers once and hangs up`(
        line: String
    ) throws {
        let (daemon, ruled) = try daemon("one-shot")
        let client = try daemon.connect(ruled)
        try client.send(line)
        #expect(try client.reply() == .good("<a>"))
        #expect(try client.ends())
    }

    @Test func `one-shot runs one request alone`() throws {
        let (daemon, ruled) = try daemon("one-shot")
        for ending in ["\n", ""] {
            let client = try daemon.connect(ruled)
            try client.send("apps:create a\napps:create b" + ending)
            client.halfClose()
            _ = try client.reply()
            #expect(try client.ends())
        }
        #expect(try daemon.ask("--quiet apps:list") == .good("a"))
        let silent = try daemon.connect(ruled)
        silent.halfClose()
        #expect(try silent.ends())
        let json = try daemon.connect(ruled)
        #expect(try json.request(#"{"id":1,"command":"apps:exists a"}"#)["exit_status"] == .number(0))
        #expect(try json.ends())
        let body = try daemon.connect(ruled)
        try body.send(#"{"command":"test:stdin","stdin_length":5}"# + "\nab")
        try daemon.settle()
        try body.send("cde")
        #expect(try body.answer()["output"] == .text("abcde"))
        #expect(try body.ends())
    }

    @Test func `a one-shot line may come in pieces`() throws {
        let (daemon, ruled) = try daemon("one-shot")
        let other = try daemon.connect()
        #expect(try other.ask("daemon:version").ok)
        /// Whether each piece was read before the line ended for want of bytes, and the reply.
        func inPieces(_ ending: String) throws -> (wasQuick: Bool, reply: Reply) {
            let client = try daemon.connect(ruled)
            var wasQuick = true
            var last = ContinuousClock.now
            for piece in ["test:ar", "gs on", "e tw", "o" + ending] {
                let now = ContinuousClock.now
                try client.send(piece)
                // The piece was read.
                #expect(try other.ask("daemon:version").ok)
                if piece != "test:ar", ContinuousClock.now - last >= .milliseconds(100) { wasQuick = false }
                last = now
            }
            let reply = try client.reply()
            #expect(try client.ends())
            return (wasQuick, reply)
        }
        for ending in ["\n", ""] {
            try Deadline().poll("a quick try") {
                let (wasQuick, reply) = try inPieces(ending)
                if wasQuick { #expect(reply == .good("<one>\n<two>")) }
                return wasQuick
            }
        }
    }

    /// Longer than what is read at once.
    @Test func `a one-shot line needs no newline however long it is`() throws {
        let (daemon, ruled) = try daemon("one-shot")
        let client = try daemon.connect(ruled)
        let word = String(repeating: "x", count: 100_000)
        try client.send("test:args \(word)")
        #expect(try client.reply() == .good("<\(word)>"))
        #expect(try client.ends())
    }

    @Test func `a one-shot request without a newline has no input`() throws {
        let (daemon, ruled) = try daemon("one-shot")
        let client = try daemon.connect(ruled)
        try client.send(#"{"id":1,"command":"test:stdin","stdin_length":5}"#)
        #expect(try client.answer()["error"] == "invalid_request")
        #expect(try client.ends())
        #expect(daemon.ran == [])
    }

    @Test func `one-shot names what is unknown in dokku's words`() throws {
        let (daemon, ruled) = try daemon("one-shot")
        for line in ["nonsense", "a/b x", "nonsense:cmd\n"] {
            let client = try daemon.connect(ruled)
            try client.send(line)
            let reply = try client.reply()
            #expect(!reply.ok && reply.output.contains("is not a dokku command"), "\(reply.output)")
            #expect(try client.ends())
        }
        #expect(daemon.ran == [])
        #expect(try daemon.ask("nonsense") == .bad("Invalid command"))
    }

    @Test func `raw words are split at blanks alone`() throws {
        let (daemon, ruled) = try daemon("raw-words")
        let client = try daemon.connect(ruled)
        #expect(try client.ask(#"test:args "a b" 'c \d"#) == .good("<\"a>\n<b\">\n<'c>\n<\\d>"))
        #expect(try client.ask("test:args   a\t b ") == .good("<a>\n<b>"))
        // Arguments in JSON are exact on every socket, and a string there is split as anywhere.
        #expect(try client.request(#"{"command":"test:args 'a b'"}"#)["output"] == .text("<a b>"))
    }

    @Test func `keep-ansi keeps ANSI sequences`() throws {
        let (daemon, ruled) = try daemon("keep-ansi")
        let file = try daemon.box.write("\u{1b}[31mred\u{1b}[0m\n", to: "colours")
        #expect(try daemon.connect(ruled).ask("test:bytes \(file)") == .good("\u{1b}[31mred\u{1b}[0m"))
        #expect(try daemon.ask("test:bytes \(file)") == .good("red"))
    }

    @Test func `rules add up`() throws {
        let (daemon, ruled) = try daemon("raw-words,read-only,one-shot,keep-ansi")
        #expect(try daemon.ask("apps:create app").ok)
        let expected: [(String, Reply)] = [
            ("--quiet apps:list", .good("app")),
            ("apps:create b", .bad("Not allowed on this read-only socket")),
            ("apps:exists app", .good("")),
        ]
        for (line, reply) in expected {
            let client = try daemon.connect(ruled)
            try client.send(line)
            #expect(try client.reply() == reply, "\(line)")
            #expect(try client.ends())
        }
    }

    @Test func `the socket that the daemon binds itself has rules too`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(
            box, sockets: [], settings: ["DOKKU_DAEMON_LISTENER": "read-only,keep-ansi"])
        #expect(try daemon.ask("apps:create a").ok == false)
        #expect(try daemon.ask("version").ok)
    }
}

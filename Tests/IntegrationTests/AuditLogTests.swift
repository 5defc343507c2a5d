// The log: who asked for what, and what became of it, without secrets and without control characters.
import Glibc
import TestSupport
import Testing

@Suite struct AuditLogTests {
    @Test func `a command leaves two lines`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("apps:create python-app").ok)
        let command = try daemon.log.line(with: "[cmd]", "apps:create python-app")
        let result = try daemon.log.line(with: "[res]")
        let stamp = /^\[\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC\] \[(?:cmd|res)\] #1 .*$/
        #expect(command.wholeMatch(of: stamp) != nil)
        #expect(result.wholeMatch(of: stamp) != nil)
        #expect(command.contains("pid=\(getpid()) uid=\(getuid()) gid=\(getgid())"))
    }

    /// Tools that read the original's log look for this.
    @Test func `a result ends in the reply`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        for line in [
            "apps:create shop", "apps:exists nope", "config:show shop", "nonsense", "refresh", "run shop ls",
        ] {
            _ = try client.ask(line)
        }
        try daemon.log.line(with: "[res] #4")
        let results = daemon.log.lines.filter { $0.contains("[res]") }
        let ends = [
            #" {"ok":true,"output":"Creating shop... done"}"#,
            #" {"ok":false,"output":" !     App nope does not exist"}"#, nil,
            #"[res] - error=invalid_command {"ok":false,"output":"Invalid command"}"#,
            #"[res] - {"ok":true,"output":"Refreshed commands"}"#, nil,
        ]
        try #require(results.count == ends.count)
        for (result, end) in zip(results, ends) {
            if let end {
                #expect(result.hasSuffix(end), "\(result)")
            } else {
                #expect(!result.contains("{"), "\(result)")
            }
        }
    }

    @Test func `a long reply is cut in the log`() throws {
        let daemon = try DaemonProcess()
        let words = String(repeating: "word ", count: 2000)
        #expect(try daemon.ask("domains:add shop \(words)").ok)
        let line = try daemon.log.line(with: "[res]")
        #expect(line.hasSuffix("…\"}"))
        #expect(line.utf8.count < 4400)
        let start = try #require(line.firstIndex(of: "{"))
        #expect(try JSON(Array(line[start...].utf8))["ok"] == .bool(true))
    }

    @Test func `a command is logged before it runs`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        #expect(daemon.log.text.contains("[cmd]") && !daemon.log.text.contains("[res]"))
        try fifo.release()
        #expect(try client.reply().ok)
        try daemon.log.line(with: "[res]")
    }

    @Test func `secrets stay out`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        let lines = [
            "apps:create shop", "config:set shop KEY=hush1 'OTHER=hush2 hush3'", "config:show shop",
            "config:get shop KEY",
            "git:auth example.com me hush4", "registry:login example.com me hush5", "test:args first hush6",
            "apps:create 'hush7", "nonsense hush8", "config:set shop hush9=\"",
            "docker-options:add shop deploy -eX=hush10",
            "--bogus config:set shop X=hush11", "hush13", "--quiet hush14 x", "config:st shop KEY hush15",
            "config:hush16", "--app shop config:set hush17", "domains:add shop --password hush18",
            "domains:add shop '--password hush19'",
            "domains:add shop " + String(repeating: "word ", count: 1000) + "K=hush20",
            "domains:add shop " + String(repeating: "x", count: 300) + "=hush21",
            "traefik:labels:add shop label me:hush22", "logs:set shop vector-sink hush23",
            "config:set shop KEY aHVzaDI0hush24=", "git:from-archive shop https://example.com/a?hush25",
            "cron:suspend shop hush26", "docker-options:add shop deploy '-p hush27'",
        ]
        for line in lines { _ = try client.ask(line) }
        // One whose input is repeated in its output.
        _ = try client.request(#"{"command":"ssh-keys:add me","stdin":"ssh-rsa hush28"}"#)
        try client.send("{\"command\":\"config:set shop X=hush12\"\n")
        _ = try client.line()
        #expect(try daemon.stop() == .status(0))
        let log = daemon.log.text
        #expect(!log.contains("hush"), "\(log)")
        for part in [
            "config:set shop KEY=", "git:auth example.com", "registry:login example.com", "test:args first",
        ] {
            #expect(log.contains(part), "\(part)")
        }
        #expect(!daemon.errors.contains("hush"))
    }

    @Test func `control characters stay out`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try client.send("apps:create 'a\u{1b}[2Jb\rc\td\u{7f}'\n\u{1b}]0;x\u{7} y\napps:exists \u{9b}31m\n")
        for _ in 0..<3 { _ = try client.line() }
        #expect(try daemon.stop() == .status(0))
        let log = contents(daemon.log.path)
        #expect(!log.contains { $0 < 0x20 && $0 != 0x0a || $0 == 0x7f })
        #expect(!log.text.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
        #expect(log.text.contains("apps:create"))
    }

    @Test func `no built-in is logged but refresh`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        for line in ["commands", "daemon:version", "daemon:status", "daemon:queue", "daemon:help", "refresh"]
        {
            #expect(try client.ask(line).ok, "\(line)")
        }
        #expect(try client.ask("daemon:cancel 99").ok == false)
        try daemon.log.line(with: "daemon:cancel 99")
        let log = daemon.log.text
        #expect(log.contains("refresh"))
        #expect(!daemon.log.lines.contains { $0.contains("[cmd]") && $0.hasSuffix(" commands") })
        for name in ["version", "status", "queue", "help"] { #expect(!log.contains("daemon:\(name)")) }
    }

    @Test func `a link in the log's place is not followed`() throws {
        let box = try Box()
        try box.write("as it was", to: "precious")
        try checked("symlink", symlink(box.path("precious"), box.path("log")))
        let daemon = try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"))])
        #expect(try daemon.ask("apps:create a").ok)
        #expect(try box.read("precious") == "as it was")
    }

    @Test(arguments: ["/dev/stdout", "/dev/stderr"])
    func `the log may be a standard stream`(path: String) throws {
        let box = try Box()
        let daemon = try DaemonProcess(box, sockets: [], settings: ["DOKKU_DAEMON_LOGFILE": path])
        #expect(try daemon.ask("apps:create a").ok)
        // Both streams of the daemon are this file.
        #expect(try box.read("stderr").contains("apps:create a\n"))
    }

    @Test func `a log that cannot be written costs no request`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))],
            settings: ["DOKKU_DAEMON_LOGFILE": "/dev/full"])
        for number in 0..<3 { #expect(try daemon.ask("test:args \(number)").ok) }
    }

    @Test func `a log that is truncated in place goes on at its start`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("apps:create a").ok)
        try daemon.log.line(with: "[res]")
        try checked("truncate", truncate(daemon.log.path, 0))
        #expect(try daemon.ask("apps:create b").ok)
        let line = try daemon.log.line(with: "[cmd]", "apps:create b")
        #expect(line.hasPrefix("["))
        #expect(!contents(daemon.log.path).contains(0))
    }
}

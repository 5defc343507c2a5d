// Wrong input of every kind: one error line each, and the connection and the daemon live on.
import Testing

@Suite struct WrongInputTests {
    /// The same connection still serves.
    private func expectAlive(_ client: TestClient) throws {
        #expect(try client.ask("test:args alive") == .good("<alive>"))
    }

    @Test func `words that are no command are refused in the same words`() throws {
        let client = try DaemonProcess().connect()
        let lines = [
            "", " ", "\t \t", "\r", "app", "s:list", "apps:.ist", "apps:../../../../bin/echo x", "apps:lis",
            "pps:list",
            "apps:list:", "Apps:list", "apps:list;true", "/bin/echo", "../echo", "a/b:help", "../x:help",
            "apps/:help",
            "git-hook app", "git-upload-pack app", "git-receive-pack app", "git-shell", "*", "$(id)", "`id`",
            "--quiet",
            "--app apps:list", "--bogus apps:list", "''", "test:*", "é", "daemon:nonsense", "-h",
            "apps:help/..:help",
        ]
        for line in lines { #expect(try client.ask(line) == .bad("Invalid command"), "\(line)") }
        try expectAlive(client)
    }

    @Test func `commands that need more than a line are refused in fixed words`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        for line in ["enter", "enter app web", "shell", "--quiet shell"] {
            #expect(try client.ask(line) == .bad("Not implemented"), "\(line)")
        }
        for line in ["apps:destroy", "apps:destroy app", "network:destroy net", "--quiet apps:destroy app"] {
            #expect(try client.ask(line) == .bad("Requires --force flag"), "\(line)")
        }
        let texts = [
            "logs app -t": "stream", "logs app --tail": "stream", "events -t": "stream",
            "nginx:access-logs app -t": "stream", "config:import app": "input", "certs:generate app": "input",
        ]
        for (line, text) in texts {
            let reply = try client.ask(line)
            #expect(!reply.ok && reply.output.contains(text), "\(line): \(reply.output)")
        }
        #expect(daemon.ran == [])
        try expectAlive(client)
    }

    @Test func `force is force wherever it stands`() throws {
        let client = try DaemonProcess().connect()
        for line in ["apps:destroy --force app", "apps:destroy app --force", "--force apps:destroy app"] {
            #expect(try client.ask("apps:create app").ok)
            #expect(try client.ask(line).ok, "\(line)")
        }
    }

    @Test(arguments: [
        ("apps:create 'open", "quote"), ("apps:create \"open", "quote"), ("apps:create a\\", "backslash"),
        ("'", "quote"),
    ]) func `unfinished quoting says so`(line: String, word: String) throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        let reply = try client.ask(line)
        #expect(!reply.ok && reply.output.lowercased().contains(word))
        #expect(daemon.ran == [])
        try expectAlive(client)
    }

    @Test func `a NUL is an error`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        for line in ["apps:create a\0b\n", "\0\n", "\0apps:list\n"] {
            try client.send(line)
            let reply = try client.reply()
            #expect(!reply.ok && reply.output.contains("NUL"), "\(reply.output)")
        }
        #expect(daemon.ran == [])
        try expectAlive(client)
    }

    @Test func `bytes that are no text are no command`() throws {
        let client = try DaemonProcess().connect()
        for bytes: [UInt8] in [[0xff, 0xfe], [0xc3], [0xed, 0xa0, 0x80], [0x1b, 0x5b, 0x41], [0x07]] {
            try client.send(bytes + [0x0a])
            #expect(try client.reply() == .bad("Invalid command"))
        }
        try expectAlive(client)
    }

    @Test func `a help that dokku lacks is dokku's to refuse`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("apps:create:help").ok)
        #expect(try daemon.ask("no-such-plugin:help").ok)
        #expect(try daemon.ask("--version").output.hasPrefix("dokku version"))
        #expect(daemon.ran == ["apps:create:help", "no-such-plugin:help", "--version"])
    }

    @Test func `a line that is too long is skipped and answered once`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_LINE": "100"])
        let client = try daemon.connect()
        let longest = "test:args " + String(repeating: "x", count: 90)
        #expect(try client.ask(longest).ok)
        for count in [101, 200, 5_000_000] {
            let reply = try client.ask(String(repeating: "y", count: count))
            #expect(!reply.ok && reply.output.contains("100"), "\(reply.output)")
            try expectAlive(client)
        }
        #expect(try client.ask(longest + "x").ok == false)
        // Also where it has no end.
        try client.send(String(repeating: "z", count: 300))
        client.halfClose()
        #expect(try client.reply().ok == false)
        #expect(try client.ends())
    }

    @Test func `a line of any kind of byte gets one reply`() throws {
        let client = try DaemonProcess().connect()
        for byte in UInt8.min...UInt8.max where byte != 0x0a {
            try client.send([byte, 0x0a, byte, 0x78, byte, 0x0a])
            _ = try client.line()
            _ = try client.line()
        }
        try expectAlive(client)
    }

    @Test func `a client that sends and leaves harms nobody`() throws {
        let daemon = try DaemonProcess()
        for text in ["", "\n", "apps:list\n", "apps:li", "{", "\0", "commands\ncommands\ncommands\n"] {
            let client = try daemon.connect()
            try client.send(text)
        }
        try expectAlive(daemon.connect())
    }
}

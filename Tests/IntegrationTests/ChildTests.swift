// What a command is given, and how its end is told.
import Glibc
import TestSupport
import Testing

@Suite struct ChildTests {
    @Test func `a grandchild that keeps the output delays nobody`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_DRAIN_GRACE": "0.1"])
        let fifo = try daemon.box.fifo()
        #expect(try daemon.ask("test:grandchild \(fifo.path)") == .good("done"))
        #expect(try daemon.ask("apps:create next").ok)
        try fifo.release()
        // It has written without being killed for it.
        try daemon.box.journal.line(with: "wrote ")
        #expect(try daemon.ask("--quiet apps:list") == .good("next"))
    }

    @Test func `standard input is at its end`() throws {
        #expect(try DaemonProcess().ask("test:stdin") == .good(""))
    }

    @Test func `a command that overruns is ended even if it ignores TERM`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_TIMEOUT": "2", "DOKKU_DAEMON_KILL_GRACE": "0.2"])
        let fifo = try daemon.box.fifo()
        for command in ["test:block", "test:ignore-term"] {
            let reply = try daemon.ask("\(command) \(fifo.path)")
            let lines = reply.output.split(separator: "\n")
            #expect(!reply.ok && lines.count == 2)
            #expect(["waiting", "deaf"].contains(lines[0]))
        }
        #expect(try daemon.ask("test:args on").ok)
    }

    @Test func `nothing is open but the three standard streams and the lock`() throws {
        let daemon = try DaemonProcess()
        let others = try (0..<5).map { _ in try daemon.connect() }
        let lines = try daemon.ask("test:fds").output.split(separator: "\n").map { $0.split(separator: " ") }
        let open = Dictionary(uniqueKeysWithValues: lines.map { ($0[0], $0[1]) })
        #expect(open.keys.sorted() == ["0", "1", "2", "3"])
        #expect(open["0"]?.hasPrefix("/memfd:") == true)
        #expect(open["1"]?.hasPrefix("pipe:") == true)
        #expect(open["3"] == daemon.box.path("lock")[...])
        #expect(others.count == 5)
    }

    @Test func `a command leads a session in the root folder`() throws {
        let words = try DaemonProcess().ask("test:session").output.split(separator: " ")
        try #require(words.count == 4)
        #expect(words[0] == words[1] && words[1] == words[2])
        #expect(words[3] == "/")
    }

    private func environment(_ given: [String: String]) throws -> [String: String] {
        let reply = try DaemonProcess(given).ask("test:env")
        let pairs = reply.output.split(separator: "\0").map { $0.split(separator: "=", maxSplits: 1) }
        return Dictionary(pairs.map { (String($0[0]), $0.count > 1 ? String($0[1]) : "") }) { $1 }
    }

    @Test func `variables that would mislead dokku are not in its environment`() throws {
        let names = [
            "SSH_ORIGINAL_COMMAND", "SSH_USER", "SSH_NAME", "NAME", "SSH_TTY", "DOKKU_QUIET_OUTPUT",
            "DOKKU_TRACE",
            "DOKKU_APP_NAME", "DOKKU_APPS_FORCE_DELETE", "DOKKU_GLOBAL_FLAGS", "DOKKU_PID",
        ]
        var given = Dictionary(uniqueKeysWithValues: names.map { ($0, "1") })
        given["WATCHDOG_USEC"] = "5000000"
        given["KEPT"] = "a=b c"
        let seen = try environment(given)
        for name in names { #expect(seen[name] == nil, "\(name)") }
        for start in ["LISTEN_", "NOTIFY_", "WATCHDOG_"] {
            #expect(!seen.keys.contains { $0.hasPrefix(start) })
        }
        #expect(seen["KEPT"] == "a=b c")
        #expect(seen["TERM"] == "dumb")
        #expect(seen["LANG"]?.uppercased().contains("UTF") == true)
    }

    @Test func `a poor PATH is made complete`() throws {
        let folders = try environment(["PATH": "/opt/own:/usr/bin"])["PATH", default: ""].split(
            separator: ":")
        #expect(folders.first == "/opt/own")
        for folder in ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"] {
            #expect(folders.contains(folder[...]), "\(folder)")
        }
    }

    @Test(arguments: ["TERM", "KILL", "SEGV"])
    func `a command killed by a signal is not ok`(signal: String) throws {
        let daemon = try DaemonProcess()
        let reply = try daemon.ask("test:signal \(signal)")
        #expect(!reply.ok && reply.output.hasPrefix("dying"))
        #expect(try daemon.ask("test:exit 0") == .good(""))
        #expect(try daemon.ask("test:exit 3") == .bad(""))
    }

    @Test func `an argument too long for the system is an error`() throws {
        let client = try DaemonProcess().connect()
        let reply = try client.ask("test:args " + String(repeating: "x", count: 500_000))
        #expect(!reply.ok && !reply.output.isEmpty)
        #expect(try client.ask("test:args y") == .good("<y>"))
    }

    @Test func `arguments arrive as bytes`() throws {
        let client = try DaemonProcess().connect()
        #expect(
            try client.ask(#"test:args "" 'a  b' \; $HOME * "x"y'z'"#)
                == .good("<>\n<a  b>\n<;>\n<$HOME>\n<*>\n<xyz>"))
        try client.send(Array("test:args ".utf8) + [0xff, 0x0a])
        #expect(try client.reply() == .good("<\u{fffd}>"))
    }
}

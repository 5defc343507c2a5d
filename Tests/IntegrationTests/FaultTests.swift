// Faults of the system: each costs at most the request at hand, which is told what happened.
import Glibc
import TestSupport
import Testing

@Suite struct FaultTests {
    private func daemon(
        _ box: Box, settings: [String: String] = [:], shell: String = ""
    ) throws -> DaemonProcess {
        try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"))], settings: settings, shell: shell)
    }

    @Test func `connections leave descriptors to commands`() throws {
        let daemon = try daemon(Box(), shell: "ulimit -n 48")
        let first = try daemon.connect()
        #expect(try first.ask("apps:create a").ok)
        let others = try (0..<100).map { _ in
            let other = try daemon.connect()
            try other.send("daemon:version\n")
            return other
        }
        var answers: [Reply] = []
        for (number, other) in others.enumerated() {
            answers.append(try other.reply())
            if number % 20 == 0 { #expect(try first.ask("test:args x") == .good("<x>")) }
        }
        #expect(answers.contains { $0.ok })
        for answer in answers where !answer.ok { #expect(answer.output.contains("connections")) }
        let outcome = try first.ask(["command": "test:digest", "stdin": "x"])
        #expect(outcome["ok"] == true)
        for (other, answer) in zip(others, answers) where answer.ok {
            #expect(try other.ask("test:args y") == .good("<y>"))
        }
    }

    /// Each reply that nobody reads is in a file.
    @Test func `replies that nobody reads leave descriptors to commands`() throws {
        let daemon = try daemon(Box(), shell: "ulimit -n 64")
        let first = try daemon.connect()
        #expect(try first.ask("apps:create a").ok)
        let deaf = try (0..<6).map { _ in
            let client = try daemon.connect()
            for number in 0..<10 { try client.order(#"{"id":\#(number),"command":"test:big 2000000"}"#) }
            return client
        }
        #expect(try first.ask("test:args behind") == .good("<behind>"))
        #expect(try daemon.ask("test:args x") == .good("<x>"))
        #expect(try first.ask(["command": "test:digest", "stdin": "x"])["ok"] == true)
        // Whoever kept too much is told that it was cut, and not before.
        let answers = try deaf.flatMap { client in try (0..<10).map { _ in try client.answer() } }
        #expect(answers.contains { $0["ok"] == true })
        for answer in answers where answer["ok"] != true { #expect(answer["output_truncated"] == true) }
        #expect(try deaf[0].ask("test:big 2000000").output.utf8.count == 2_000_000)
    }

    /// They share a file.
    @Test func `many small replies that nobody reads are all kept`() throws {
        let daemon = try daemon(Box(), shell: "ulimit -n 64")
        let deaf = try (0..<5).map { _ in
            let client = try daemon.connect()
            for number in 0..<40 { try client.order(#"{"id":\#(number),"command":"test:big 300000"}"#) }
            return client
        }
        let other = try daemon.connect()
        #expect(try other.ask("test:big 300000").output.utf8.count == 300_000)
        #expect(try other.ask("test:args x") == .good("<x>"))
        for client in deaf {
            for _ in 0..<40 {
                let answer = try client.answer()
                #expect(answer["ok"] == true && answer["output"]?.text?.utf8.count == 300_000)
            }
        }
    }

    /// What the shell that starts it was given may be far less than it needs.
    @Test func `the daemon takes the descriptors that it may have`() throws {
        let daemon = try daemon(Box(), shell: "ulimit -Sn 64")
        let clients = try (0..<200).map { _ in try daemon.connect() }
        for client in clients { #expect(try client.ask("daemon:version").ok) }
        #expect(try clients[0].ask("test:args x") == .good("<x>"))
    }

    @Test func `a large reply without a place for spools is cut and says why`() throws {
        let box = try Box()
        try box.write("", to: "no-folder")
        let daemon = try daemon(box, settings: ["DOKKU_DAEMON_STATE_DIR": box.path("no-folder")])
        #expect(try daemon.ask("test:big 500000").output.utf8.count == 500_000)
        let reply = try daemon.ask("test:big 20000000")
        #expect(!reply.ok)
        let lines = reply.output.split(separator: "\n")
        #expect(lines.count == 2 && lines.last?.contains("cut") == true)
        try daemon.box.journal.wait("the end of both") { lines in
            lines.filter { $0.hasPrefix("end ") && $0.hasSuffix(" 0") }.count == 2 ? true : nil
        }
        let client = try daemon.connect()
        try client.order(#"{"command":"test:stdin","stdin_length":3000000}"#)
        try client.send([UInt8](repeating: 0x78, count: 3_000_000))
        #expect(try client.answer()["error"] == .text("input_too_long"))
        #expect(try client.ask("test:args on") == .good("<on>"))
    }

    @Test func `a full disk cuts the reply and harms nobody`() throws {
        let box = try Box()
        let daemon = try daemon(box, shell: "ulimit -f 4096; trap '' XFSZ")
        let reply = try daemon.ask("test:big 20000000")
        #expect(!reply.ok && reply.output.utf8.count > 1_000_000)
        #expect(try daemon.ask("test:args on") == .good("<on>"))
    }

    @Test func `a command does not run without a lock file`() throws {
        let box = try Box()
        let daemon = try daemon(box, settings: ["DOKKU_LOCK_PATH": "/proc/no-such/lock"])
        let reply = try daemon.ask("apps:create a")
        #expect(!reply.ok && reply.output.contains("lock"))
        #expect(daemon.ran == [])
        #expect(try daemon.ask("commands").ok)
    }

    @Test func `a dokku that goes away is an error until it is back`() throws {
        let box = try Box()
        let script = "#!/bin/sh\nexec '\(DaemonProcess.standIn)/dokku' \"$@\"\n"
        let path = try box.write(script, to: "dokku", mode: 0o755)
        let daemon = try daemon(box, settings: ["DOKKU_DAEMON_DOKKU": path])
        #expect(try daemon.ask("apps:create a").ok)
        unlink(path)
        let reply = try daemon.ask("apps:list")
        #expect(!reply.ok && reply.output.contains(path))
        #expect(try daemon.connect().request(#"{"command":"apps:list"}"#)["error"] == .text("spawn_failed"))
        try box.write(script, to: "dokku", mode: 0o755)
        #expect(try daemon.ask("--quiet apps:list") == .good("a"))
    }
}

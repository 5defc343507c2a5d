// What clients may hold, all together and each: beyond it one of them gets an error, and the others go on.
import TestSupport
import Testing

@Suite struct LimitTests {
    @Test func `a full queue refuses the next command`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_QUEUE": "2"])
        let fifo = try daemon.box.fifo()
        let blocker = try daemon.connect()
        try blocker.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        let waiting = try (0..<2).map { index in
            let client = try daemon.connect()
            try client.send("test:args \(index)\n")
            try daemon.settle()
            return client
        }
        let late = try daemon.connect()
        let refused = try late.ask("test:args late")
        #expect(!refused.ok && refused.output.contains("waiting"))
        try fifo.release()
        #expect(try blocker.reply().ok)
        for client in waiting { #expect(try client.reply().ok) }
        #expect(try late.ask("test:args again") == .good("<again>"))
    }

    @Test func `one connection too many is told so`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_CONNECTIONS": "2"])
        let first = try daemon.connect()
        let second = try daemon.connect()
        #expect(try first.ask("commands").ok && second.ask("commands").ok)
        for _ in 0..<40 {
            let third = try daemon.connect()
            try third.send("apps:list\n")
            let reply = try third.reply()
            #expect(!reply.ok && reply.output.contains("connections"))
            #expect(try third.ends())
        }
        #expect(try first.ask("apps:create a").ok)
        second.halfClose()
        #expect(try second.ends())
        #expect(try daemon.ask("--quiet apps:list") == .good("a"))
        #expect(daemon.ran == ["apps:create a", "--quiet apps:list"])
    }

    @Test func `unfinished lines together are bounded`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_BUFFER": "100000"])
        let modest = try daemon.connect()
        try modest.send("test:args ")
        let greedy = try (0..<3).map { _ in
            let client = try daemon.connect()
            try client.send("test:args " + String(repeating: "x", count: 60_000))
            try daemon.settle()
            return client
        }
        try modest.send("modest\n")
        #expect(try modest.reply() == .good("<modest>"))
        var answers: [Reply] = []
        for client in greedy {
            try client.send("\n")
            answers.append(try client.reply())
        }
        #expect(answers.contains { $0.ok } && answers.contains { !$0.ok })
        for client in greedy { #expect(try client.ask("test:args on") == .good("<on>")) }
    }

    /// Whoever fills what there is for unfinished lines: short ones pass, and other sockets have their quarter.
    @Test(arguments: ["restricted", "socket"]) func `unfinished lines leave room`(full: String) throws {
        let box = try Box()
        let sockets = [
            try BoundSocket(box.path("socket")),
            try BoundSocket(box.path("restricted"), name: "read-only"),
        ]
        let daemon = try DaemonProcess(
            box, sockets: sockets, settings: ["DOKKU_DAEMON_MAX_BUFFER": "12582912"])
        var greedy: [TestClient] = []
        // Until not even a short one finds room.
        for size in [
            1_000_000, 1_000_000, 500_000, 200_000, 100_000, 50_000, 25_000, 10_000, 5000, 2000, 1000, 500,
        ] {
            for _ in 0..<5 {
                let client = try daemon.connect(box.path(full))
                try client.send(String(repeating: "x", count: size))
                try daemon.settle()
                greedy.append(client)
            }
        }
        for size in full == "socket" ? [100, 8000] : [100, 8000, 100_000] {
            let client = try daemon.connect()
            let word = String(repeating: "y", count: size)
            // In two parts, so that the line is unfinished for a while.
            try client.send("test:args " + word)
            try daemon.settle()
            #expect(try client.ask("y") == .good("<\(word)y>"))
        }
        withExtendedLifetime(greedy) {}
    }

    @Test func `the bytes spooled for all are bounded`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_SPOOL": "3000000"])
        let deaf = try daemon.connect()
        try deaf.send("test:big 50000000\n")
        try daemon.box.journal.line(with: "end ", " 0")
        let reply = try deaf.reply()
        #expect(!reply.ok)
        let lines = reply.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect((1_000_000...4_000_000).contains(lines.first?.utf8.count ?? 0))
        // What was held is free again.
        #expect(try daemon.ask("test:big 1500000").output.utf8.count == 1_500_000)
    }

    /// Whoever keeps the spool full: what is small is not lost for want of room.
    @Test func `a client that does not read spoils no small reply`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_SPOOL": "100000"])
        let deaf = try daemon.connect()
        // In small pieces, which fill it to the last bytes; the first replies only fill the socket.
        try deaf.send(String(repeating: "{\"command\":\"test:both 8000\"}\n", count: 6))
        try daemon.box.journal.wait("the end of all") { lines in
            lines.filter { $0.hasPrefix("end ") && $0.hasSuffix(" 0") }.count == 6 ? true : nil
        }
        for form in [#"{"command":"test:big 60000"}"#, #"{"command":"test:big 40000","encoding":"base64"}"#] {
            #expect(try daemon.connect().request(form)["ok"] == true)
        }
        #expect(try daemon.ask("test:big 60000").output.utf8.count == 60_000)
        #expect(try deaf.answer()["error"] == "output_truncated")
    }

    /// Two that send all but the last byte of what they may leave room for everybody else.
    @Test func `inputs that never end leave room`() throws {
        let daemon = try DaemonProcess([
            "DOKKU_DAEMON_MAX_SPOOL": "3000000", "DOKKU_DAEMON_MAX_INPUT": "1500000",
        ])
        let stalled = try (0..<2).map { _ in
            let client = try daemon.connect()
            try client.send("{\"command\":[\"test:digest\"],\"stdin_length\":1500000}\n")
            try client.send([UInt8](repeating: 0x78, count: 1_499_999))
            try daemon.settle()
            return client
        }
        #expect(try daemon.ask("test:big 300000").output.utf8.count == 300_000)
        // The first one has half of what there was, which is what it may send.
        try stalled[0].send("x")
        #expect(try stalled[0].answer()["ok"] == true)
        try stalled[1].send("x")
        #expect(try stalled[1].answer()["error"] == "input_too_long")
    }

    /// An input that stops coming is given up: its room is free again, and what comes of it later is no request.
    @Test func `an input that stops coming is given up`() throws {
        let daemon = try DaemonProcess([
            "DOKKU_DAEMON_INPUT_TIMEOUT": "2", "DOKKU_DAEMON_MAX_SPOOL": "3000000",
        ])
        let client = try daemon.connect()
        try client.order(#"{"id":1,"command":["test:digest"],"stdin_length":1400007}"#)
        try client.send([UInt8](repeating: 0x78, count: 1_400_000))
        let answer = try client.answer()
        #expect(answer["id"] == 1 && answer["error"] == "invalid_request")
        let other = try daemon.connect()
        try other.order(#"{"command":["test:stdin"],"stdin_length":1400000}"#)
        try other.send([UInt8](repeating: 0x79, count: 1_400_000))
        #expect(try other.answer()["ok"] == true)
        try client.send("x\n{}\nx\n")
        #expect(try client.ask("test:args on") == .good("<on>"))
        #expect(daemon.ran == ["test:stdin", "test:args on"])
    }
}

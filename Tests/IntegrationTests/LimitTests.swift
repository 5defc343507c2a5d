// What clients may hold, all together and each: beyond it one of them gets an error, and the others go on.
import Testing

@Suite struct LimitTests {
    @Test func aFullQueueRefusesWhoComesNext() throws {
        let daemon = try Daemon(["DOKKU_DAEMON_MAX_QUEUE": "2"])
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

    @Test func oneConnectionTooManyIsToldSo() throws {
        let daemon = try Daemon(["DOKKU_DAEMON_MAX_CONNECTIONS": "2"])
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

    @Test func unfinishedLinesTogetherAreBounded() throws {
        let daemon = try Daemon(["DOKKU_DAEMON_MAX_BUFFER": "100000"])
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

    @Test func whatIsSpooledForAllIsBounded() throws {
        let daemon = try Daemon(["DOKKU_DAEMON_MAX_SPOOL": "3000000"])
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
}

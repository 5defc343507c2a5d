// One command at a time, first come, first served, and no client at another's cost.
import TestSupport
import Testing

@Suite struct OrderingTests {
    /// Every start in the journal is followed by its own end before the next start.
    private func expectOneAtATime(_ journal: [String], count: Int) {
        let words = journal.map { $0.split(separator: " ").map(String.init) }
        #expect(words.count == 2 * count)
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            #expect(words[index][0] == "start")
            #expect(words[index + 1].prefix(2) == ["end", words[index][1]])
        }
        #expect(Set(words.map { $0[1] }).count == count)
    }

    @Test func `many clients never run two commands at once nor one twice`() throws {
        let daemon = try DaemonProcess()
        let clients = try (0..<20).map { _ in try daemon.connect() }
        for (index, client) in clients.enumerated() {
            try client.send("test:args \(index) a\ntest:args \(index) b\n")
        }
        for (index, client) in clients.enumerated() {
            #expect(try client.reply() == .good("<\(index)>\n<a>"))
            #expect(try client.reply() == .good("<\(index)>\n<b>"))
        }
        expectOneAtATime(daemon.box.journal.lines, count: 40)
        #expect(Set(daemon.ran).count == 40)
    }

    @Test func `the first to come is served first`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let blocker = try daemon.connect()
        try blocker.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        let clients = try (0..<5).map { index in
            let client = try daemon.connect()
            try client.send("test:args \(index)\n")
            try daemon.settle()
            return client
        }
        try fifo.release()
        for client in clients { #expect(try client.reply().ok) }
        #expect(
            daemon.ran.dropFirst() == [
                "test:args 0", "test:args 1", "test:args 2", "test:args 3", "test:args 4",
            ])
    }

    @Test func `a thousand lines delay the next client by one`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let greedy = try daemon.connect()
        let lines = (0..<1000).map { "test:args \($0)\n" }.joined()
        try greedy.send("test:block \(fifo.path)\n\(lines)")
        try daemon.started("test:block")
        let modest = try daemon.connect()
        try modest.send("test:args modest\n")
        try daemon.settle()
        try fifo.release()
        #expect(try modest.reply() == .good("<modest>"))
        let place = try #require(daemon.ran.firstIndex(of: "test:args modest"))
        #expect(place <= 2)
        #expect(try greedy.reply() == .good("waiting\ndone"))
        for number in 0..<100 { #expect(try greedy.reply() == .good("<\(number)>")) }
    }

    @Test func `replies come in the order of the lines`() throws {
        let client = try DaemonProcess().connect()
        try client.send("apps:create a\nnonsense\n\ncommands\napps:list\r\n'\nenter a\n")
        #expect(try client.reply() == .good("Creating a... done"))
        #expect(try client.reply() == .bad("Invalid command"))
        #expect(try client.reply() == .bad("Invalid command"))
        let commands = try client.reply()
        #expect(commands.ok && commands.output.contains("scheduler-k3s:cluster:add"))
        #expect(try client.reply() == .good("=====> My Apps\na"))
        #expect(try client.reply().ok == false)
        #expect(try client.reply() == .bad("Not implemented"))
    }

    @Test func `a built-in does not wait for the queue`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let blocker = try daemon.connect()
        try blocker.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        #expect(try daemon.ask("commands").ok)
        #expect(try daemon.ask("nonsense") == .bad("Invalid command"))
        try fifo.release()
        #expect(try blocker.reply().ok)
    }

    @Test func `the rest after a half-close is a request`() throws {
        let client = try DaemonProcess().connect()
        try client.send("apps:create a\napps:list")
        client.halfClose()
        #expect(try client.reply().ok)
        #expect(try client.reply() == .good("=====> My Apps\na"))
        #expect(try client.ends())
    }

    @Test func `orders of a client that left are done`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        do {
            let client = try daemon.connect()
            try client.send("test:block \(fifo.path)\napps:create one\napps:create two\napps:create thr")
            try daemon.started("test:block")
        }
        try fifo.release()
        try daemon.box.journal.wait("the end of the second app") { lines in
            lines.filter { $0.hasPrefix("end ") }.count == 3 ? true : nil
        }
        #expect(try daemon.ask("--quiet apps:list") == .good("one\ntwo"))
    }
}

// Several requests on one connection: replies as they are ready, and how many may be open.
import TestSupport
import Testing

@Suite struct OpenRequestsTests {
    @Test func `replies are told apart by their ids`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send(["id": "blocked", "command": ["test:block", .text(fifo.path)]])
        try daemon.started("test:block")
        for id in 1...20 { try client.send(["id": .integer(id), "command": ["test:args", "\(id)"]]) }
        // What needs no queue is answered before all of them.
        #expect(try client.ask(["id": "version", "command": ["daemon:version"]])["id"] == "version")
        #expect(try client.ask(["id": "wrong", "command": ["nonsense"]])["id"] == "wrong")
        try fifo.release()
        var outputs: [JSON: String] = [:]
        for _ in 0...20 {
            let line = try client.answer()
            outputs[try #require(line["id"])] = line["output"]?.text
        }
        #expect(outputs.count == 21 && outputs["blocked"] == "waiting\ndone")
        for id in 1...20 { #expect(outputs[.integer(id)] == "<\(id)>") }
    }

    @Test func `the same id twice is two requests`() throws {
        let client = try DaemonProcess().connect()
        for _ in 0..<2 { try client.send(["id": 1, "command": ["test:args", "x"]]) }
        for _ in 0..<2 { #expect(try client.answer()["output"] == "<x>") }
    }

    @Test func `events of several streams carry their ids`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        let command: JSON = ["test:block", .text(fifo.path)]
        for id in 1...3 { try client.send(["id": .integer(id), "command": command, "stream": true]) }
        try daemon.started("test:block")
        for _ in 0..<3 { try fifo.release() }
        var course: [JSON: [String]] = [:]
        while course.values.filter({ $0.last == "end" }).count < 3 {
            let line = try client.answer()
            course[try #require(line["id"]), default: []].append(line["event"]?.text ?? "")
        }
        for id in 1...3 {
            let events = course[.integer(id)] ?? []
            #expect(events.prefix(2) == ["queued", "started"] && events.dropFirst(2).first == "output")
        }
    }

    @Test func `a plain line holds back what is behind it`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send("test:block \(fifo.path)\n")
        try client.send(["id": 1, "command": ["daemon:version"]])
        try daemon.started("test:block")
        try daemon.settle()
        try fifo.release()
        #expect(try client.reply() == .good("waiting\ndone"))
        #expect(try client.answer()["id"] == 1)
    }

    @Test func `a JSON request holds back no plain line`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send(["id": 1, "command": ["test:block", .text(fifo.path)]])
        #expect(try client.ask("nonsense") == .bad("Invalid command"))
        try fifo.release()
        #expect(try client.answer()["output"] == "waiting\ndone")
    }

    @Test func `plain lines and JSON share one connection`() throws {
        let client = try DaemonProcess().connect()
        try client.send("apps:create a\n  {\"id\":1,\"command\":\"apps:create b\"}\r\n--quiet apps:list\n")
        #expect(try client.reply() == .good("Creating a... done"))
        var list: JSON?
        for _ in 0..<2 {
            let answer = try client.answer()
            if answer["id"] == nil { list = answer["output"] }
        }
        #expect(list == .text("a\nb"))
    }

    @Test func `nothing is read beyond the limit until one is answered`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_OPEN": "2"])
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        for id in 1...2 {
            try client.send(["id": .integer(id), "command": ["test:block", .text(fifo.path)]])
        }
        try client.send(["id": 3, "command": ["daemon:version"]])
        try daemon.started("test:block")
        try daemon.settle()
        try fifo.release()
        #expect(try client.answer()["id"] == 1)
        #expect(try client.answer()["id"] == 3)
        try fifo.release()
        #expect(try client.answer()["id"] == 2)
    }

    @Test func `a request at the limit still gets its input`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_OPEN": "1"])
        let client = try daemon.connect()
        try client.send(
            "{\"command\":[\"test:stdin\"],\"stdin_length\":4}\nabcd{\"command\":[\"daemon:version\"]}\n")
        #expect(try client.answer()["output"] == "abcd")
        #expect(try client.answer()["ok"] == true)
    }

    /// The last of a large reply may leave in one write, and with it what held the next line back.
    @Test func `a large reply holds back the next line only until it is sent`() throws {
        let client = try DaemonProcess().connect()
        for _ in 0..<40 {
            try client.send("test:big 400000\ntest:args on\n")
            #expect(try client.reply().output.utf8.count == 400_000)
            #expect(try client.reply() == .good("<on>"))
        }
    }

    @Test func `sixty-four requests may be open`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send(["id": 0, "command": ["test:block", .text(fifo.path)]])
        for id in 1...62 { try client.send(["id": .integer(id), "command": ["test:args"]]) }
        #expect(try client.ask(["id": 63, "command": ["daemon:version"]])["id"] == 63)
        try client.send(["id": 64, "command": ["test:args"]])
        try client.send(["id": 65, "command": ["daemon:version"]])
        try daemon.started("test:block")
        try daemon.settle()
        try fifo.release()
        #expect(try client.answer()["id"] == 0)
        #expect(try client.answer()["id"] == 65)
        #expect(Set(try (0..<63).map { _ in try client.answer()["id"]?.int }).count == 63)
    }
}

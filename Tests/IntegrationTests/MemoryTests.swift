// Clients that try to fill the daemon's memory, with default settings: it stays within 64 MiB of what it is when idle.
import Foundation
import TestSupport
import Testing

/// Each in a suite of its own process: they are measured by the daemon's highest mark.
@Suite(.serialized) struct MemoryTests {
    /// In KiB.
    private static let bound = 64 * 1024
    /// A gigabyte takes a debug build too long.
    static let rounds = DaemonProcess.isReleaseBuild ? 64 : 4

    private let box: Box
    private let daemon: DaemonProcess
    private let fifo: Fifo
    private let memory: Memory

    /// A daemon that has served, with a command that holds the queue.
    init() throws {
        box = try Box()
        fifo = try box.fifo()
        daemon = try DaemonProcess(
            box,
            sockets: [
                BoundSocket(box.path("socket")),
                BoundSocket(box.path("read-only"), name: "read-only"),
            ], shell: "ulimit -n 4096")
        #expect(try daemon.ask("commands").ok)
        #expect(try daemon.ask("test:args x").ok)
        memory = try Memory(of: daemon)
    }

    private func connect(_ socket: String = "socket") throws -> TestClient {
        try daemon.connect(box.path(socket))
    }

    private func hold() throws -> TestClient {
        let blocker = try connect()
        try blocker.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        return blocker
    }

    /// The command that held the queue ends as it should, and the daemon serves on.
    private func finish(_ blocker: TestClient) throws {
        let growth = try memory.growth
        print("memory over idle: \(growth) KiB")
        #expect(growth <= Self.bound)
        try fifo.release()
        #expect(try blocker.reply().ok)
        #expect(try daemon.ask("test:args on") == .good("<on>"))
    }

    /// Sends as much as the daemon takes without anybody reading.
    private func flood(_ connections: [TestClient], _ line: [UInt8], times: Int) throws {
        for connection in connections {
            for _ in 0..<times { guard connection.sendSome(line) else { break } }
        }
        try daemon.settle()
    }

    private func words(_ bytes: Int, _ command: String, more: String = "") -> [UInt8] {
        Array("{\"command\":[\"\(command)\",\"\(String(repeating: "x", count: bytes))\"]\(more)}\n".utf8)
    }

    /// Requests that wait hold their words.
    @Test(arguments: ["socket", "read-only"])
    func `long requests that wait take bounded memory`(socket: String) throws {
        let blocker = try hold()
        let connections = try (0..<16).map { _ in try connect(socket) }
        let line = words(1_000_000, "apps:exists")
        for _ in 0..<Self.rounds { for connection in connections { try connection.send(line) } }
        for connection in connections {
            // The last ones are refused, and not those of a connection that asks for little.
            let answer = try connection.answer()
            #expect(answer["error"] == "queue_full")
        }
        #expect(try connect().ask("daemon:version").ok)
        try finish(blocker)
    }

    /// The same with input, with an id, or with a great many words.
    @Test(arguments: ["stdin", "id", "words", "plain"])
    func `other long requests that wait take bounded memory`(kind: String) throws {
        let blocker = try hold()
        let connections = try (0..<16).map { _ in try connect() }
        let long = String(repeating: "x", count: 1_000_000)
        let line =
            switch kind {
            case "stdin": "{\"command\":[\"test:stdin\"],\"stdin\":\"\(long)\"}\n"
            case "id": "{\"command\":[\"test:args\"],\"id\":\"\(long)\"}\n"
            case "words": "{\"command\":[\"test:args\"\(String(repeating: ",\"a\"", count: 120_000))]}\n"
            default: "test:args" + String(repeating: " a", count: 500_000) + "\n"
            }
        try flood(connections, Array(line.utf8), times: 32)
        #expect(try connect().ask("daemon:version").ok)
        try finish(blocker)
    }

    @Test func `input that waits takes bounded memory`() throws {
        let blocker = try hold()
        let connections = try (0..<16).map { _ in try connect() }
        let request = Array("{\"command\":[\"test:keep\",\"/dev/null\"],\"stdin_length\":1000000}\n".utf8)
        for _ in 0..<Self.rounds {
            for connection in connections {
                try connection.send(request + [UInt8](repeating: 0x78, count: 1_000_000))
            }
        }
        #expect(try connect().ask("daemon:version").ok)
        try finish(blocker)
    }

    /// The longest listing of the queue there can be, for everybody, and nobody reads it.
    @Test(arguments: [
        "daemon:queue\n", #"{"command":"daemon:queue"}"# + "\n",
        #"{"command":"daemon:queue","encoding":"base64"}"# + "\n",
    ])
    func `listings of the queue that nobody reads take bounded memory`(request: String) throws {
        let blocker = try hold()
        let busy = try (0..<16).map { _ in try connect() }
        let word = String(repeating: "y", count: 250)
        let long = "{\"command\":[\"apps:list\",\"\(word)\",\"\(word)\",\"\(word)\",\"\(word)\"]}\n"
        for connection in busy { try connection.send(String(repeating: long, count: 62)) }
        try daemon.settle()
        let waiting = try daemon.ask("daemon:queue").output
        #expect(waiting.utf8.count > 900_000)
        let deaf = try (0..<950).map { _ in try connect() }
        try flood(deaf, Array(String(repeating: request, count: 64).utf8), times: 1)
        #expect(try connect().ask("daemon:version").ok)
        // Each gets it whole all the same.
        if request.first != "{" { #expect(try deaf[700].reply().output == waiting) }
        try finish(blocker)
    }

    /// Every reader has a listing of its own, since the queue has changed, and no file can be had for them.
    @Test func `listings that find no file take bounded memory`() throws {
        let blocker = try hold()
        let busy = try (0..<16).map { _ in try connect() }
        let word = String(repeating: "y", count: 250)
        let long = "{\"command\":[\"apps:list\",\"\(word)\",\"\(word)\",\"\(word)\",\"\(word)\"]}\n"
        for connection in busy { try connection.send(String(repeating: long, count: 31)) }
        try daemon.settle()
        try FileManager.default.removeItem(atPath: box.path("state"))
        let changer = try connect()
        let deaf = try (0..<240).map { _ in
            let connection = try connect()
            try connection.send("daemon:queue\n")
            try changer.send("{\"command\":\"apps:list\",\"stream\":true}\n")
            guard case .number(let job) = try changer.answer()["job"] else { throw Overdue(what: "a job") }
            #expect(try daemon.ask("daemon:cancel \(Int(job))").ok)
            #expect(try changer.answer()["event"] == "end")
            return connection
        }
        let growth = try memory.growth
        print("memory over idle: \(growth) KiB")
        #expect(growth <= Self.bound)
        let replies = try deaf.map { try $0.reply() }
        for reply in replies where !reply.ok { #expect(reply.output.contains("could not be stored")) }
        #expect(replies.contains { $0.ok } && replies.contains { !$0.ok })
        // Room is there again.
        #expect(try daemon.ask("daemon:queue").output.utf8.count > 450_000)
        try fifo.release()
        #expect(try blocker.reply().ok)
    }

    /// Large replies that wait for their readers.
    @Test func `replies that nobody reads take bounded memory`() throws {
        let count = 6
        let deaf = try (0..<count).map { _ in try connect() }
        for connection in deaf {
            try connection.send(String(repeating: "{\"command\":\"test:big 1000000\"}\n", count: 64))
        }
        try box.journal.wait("the end of all") { lines in
            lines.filter { $0.hasPrefix("end ") && $0.hasSuffix(" 0") }.count == count * 64 + 1 ? true : nil
        }
        let growth = try memory.growth
        print("memory over idle: \(growth) KiB")
        #expect(growth <= Self.bound)
        #expect(try deaf[3].answer()["output"]?.text?.utf8.count == 1_000_000)
    }

    /// Small ones that become many, also if no file can be had for them.
    @Test(arguments: [true, false])
    func `small replies that nobody reads take bounded memory`(hasStateFolder: Bool) throws {
        if !hasStateFolder { try FileManager.default.removeItem(atPath: box.path("state")) }
        let blocker = try hold()
        let deaf = try (0..<(DaemonProcess.isReleaseBuild ? 950 : 100)).map { _ in try connect() }
        let count = 1600
        try flood(deaf, Array(String(repeating: "daemon:status\n", count: count).utf8), times: 1)
        // In each turn of the loop 128 lines of each client are taken.
        for _ in 0..<(count / 128) { try daemon.settle() }
        try finish(blocker)
    }

    /// Lines that are not finished, and such as are finished but not taken yet.
    @Test func `lines that are not finished take bounded memory`() throws {
        let blocker = try hold()
        let connections = try (0..<900).map { _ in try connect() }
        try flood(connections, [UInt8](repeating: 0x78, count: 1_000_000), times: 1)
        try finish(blocker)
    }

    @Test func `lines that are not taken yet take bounded memory`() throws {
        let blocker = try hold()
        let connections = try (0..<950).map { _ in try connect() }
        try flood(connections, Array(String(repeating: "test:args a\n", count: 8000).utf8), times: 1)
        try finish(blocker)
    }

    /// A line that is small as text, and large once it is parsed.
    @Test(arguments: ["{}", "[]", "\"\"", "1.5", "{\"a\":1}"])
    func `documents that grow take bounded memory`(piece: String) throws {
        let blocker = try hold()
        let client = try connect()
        for (start, end) in [
            ("{\"command\":[\(piece)", "]}"), ("{\"id\":7,\"x\":[\(piece)", ""), ("[\(piece)", "]"),
        ] {
            let count = ((1 << 20) - start.utf8.count - end.utf8.count) / (piece.utf8.count + 1)
            try client.send(start + String(repeating: "," + piece, count: count) + end + "\n")
            if start.first == "{" {
                #expect(try client.answer()["ok"] == false)
            } else {
                #expect(try !client.reply().ok)
            }
        }
        #expect(try Memory.resident(daemon) - memory.idle < 24 * 1024)
        try finish(blocker)
    }
}

/// Before the first catalogue stands.
@Suite struct EarlyMemoryTests {
    @Test(arguments: ["new:command", "commands", "refresh"])
    func `requests that wait for the catalogue take bounded memory`(
        command: String
    ) throws {
        let box = try Box()
        let fifo = try box.fifo()
        let script =
            "#!/bin/sh\n[ \"$1\" != help ] || read line <\(fifo.path)\nexec \"\(DaemonProcess.standIn)/dokku\" \"$@\"\n"
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))],
            settings: ["DOKKU_DAEMON_DOKKU": try box.write(script, to: "dokku", mode: 0o755)],
            shell: "ulimit -n 4096")
        #expect(try daemon.ask("daemon:version").ok)
        let memory = try Memory(of: daemon)
        let isLong = command == "new:command"
        let connections = try (0..<(isLong ? 16 : 950)).map { _ in try daemon.connect() }
        let more = isLong ? "\"," + "\"\(String(repeating: "x", count: 1_000_000))" : ""
        let line = "{\"command\":[\"\(command)\(more)\"]}\n"
        for _ in 0..<MemoryTests.rounds { for connection in connections { try connection.send(line) } }
        #expect(try daemon.ask("daemon:version").ok)
        if isLong { #expect(try connections[0].answer()["error"] == "queue_full") }
        // Once for the reading that was under way, and once for who asked for a newer one meanwhile.
        for _ in 0..<2 { try fifo.release() }
        // What waits is answered now, and what did not find room to wait was refused.
        if !isLong {
            let answers = try (0..<MemoryTests.rounds).map { _ in try connections[0].answer()["ok"] }
            #expect(answers.contains(true))
        }
        #expect(try daemon.ask("daemon:version").ok)
        let growth = try memory.growth
        print("memory over idle: \(growth) KiB")
        #expect(growth <= 64 * 1024)
    }
}

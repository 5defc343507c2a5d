// What the daemon tells of itself, as tables, as JSON, and as an old daemon has it; and names that are a letter off.
import CEpollShim
import Foundation
import TestSupport
import Testing

@Suite struct ClientTableTests {
    private func rows(_ text: String) -> [[String]] {
        text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }

    @Test func `the queue is a table`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let clients = try (0..<2).map { _ in try daemon.connect() }
        try clients[0].send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        try clients[1].send("apps:create x\n")
        try daemon.settle()
        let table = try daemon.client("daemon:queue").output
        let rows = rows(table)
        #expect(rows[0] == ["JOB", "STATE", "TIME", "FROM", "WAITS", "FOR", "COMMAND"])
        #expect(rows[1].starts(with: ["1", "running"]) && rows[1].suffix(2) == ["test:block", fifo.path])
        #expect(
            rows[2].starts(with: ["2", "waiting"]) && rows[2].suffix(4) == ["job", "1", "apps:create", "x"])
        #expect(!table.contains("\u{1B}"))
        #expect(try self.rows(daemon.client("-q", "daemon:queue").output).count == 2)
        // The columns stand below each other.
        let lines = table.split(separator: "\n")
        let column = try #require(lines[0].range(of: "COMMAND"))
        let offset = lines[0].distance(from: lines[0].startIndex, to: column.lowerBound)
        #expect(lines[2].dropFirst(offset) == "apps:create x")
        try fifo.release()
        for client in clients { _ = try client.reply() }
    }

    @Test(arguments: [
        ["--json", "daemon:queue"], ["daemon:queue", "--format", "json"], ["daemon:queue", "--format=json"],
    ])
    func `the queue is JSON for programs`(words: [String]) throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let holder = try daemon.connect()
        try holder.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        let text = try ClientProcess(words, to: daemon.path).end().output
        #expect(text.hasSuffix("]\n"))
        #expect(Schema.ofProtocol.accepts(try JSON(Array(text.utf8)), as: "queueAnswer"))
        try fifo.release()
        _ = try holder.reply()
    }

    @Test func `kept jobs are a table, with their ends`() throws {
        let daemon = try DaemonProcess()
        let number = try daemon.client("-d", "test:exit", "3").output
        #expect(number == "1\n")
        #expect(try daemon.client("daemon:wait", "1").exit == .status(3))
        let rows = rows(try daemon.client("daemon:jobs").output)
        #expect(rows[0] == ["JOB", "STATE", "TIME", "ENDED", "OUTPUT", "FROM", "COMMAND"])
        #expect(rows[1].starts(with: ["1", "status", "3"]) && rows[1].suffix(2) == ["test:exit", "3"])
    }

    @Test func `the daemon's state looks like a report of dokku's`() throws {
        let daemon = try DaemonProcess()
        let lines = try daemon.client("daemon:status").output.split(separator: "\n").map(String.init)
        #expect(lines[0] == "=====> dokku-daemon information")
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("       ") })
        #expect(lines.contains("       Workers:          0 of 1"))
        let version = try daemon.client("daemon:version").output
        #expect(version.contains("Features:  stdin_chunks, format_json"))
        #expect(try !daemon.client("--quiet", "daemon:status").output.contains("=====>"))
        #expect(try daemon.client("daemon:queue", "x").exit == .status(64))
    }

    @Test(arguments: [true, false]) func `colours are for terminals`(hasColours: Bool) throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.client("-d", "test:exit", "3").exit == .status(0))
        #expect(try daemon.client("daemon:wait", "1").exit == .status(3))
        let terminal = try PseudoTerminal(columns: 40)
        let client = try ClientProcess(
            ["daemon:jobs"], to: daemon.path, on: terminal, environment: hasColours ? [:] : ["NO_COLOR": "1"])
        let text = try client.output.upTo("1 ") + client.output.upTo("\r\n")
        #expect(text.contains(hasColours ? "\u{1B}[31mstatus 3\u{1B}[0m" : "status 3"))
        #expect(text.contains("\u{1B}") == hasColours)
        // As wide as the window: what is too long is cut.
        #expect(text.contains("…"))
        #expect(try client.process.wait() == .status(0))
    }

    @Test func `an old daemon shows its own text`() throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        let client = try ClientProcess(["daemon:queue"], to: socket.path)
        for (words, answer) in [
            (
                #"["daemon:queue","--format","json"]"#,
                #"{"event":"end","ok":false,"error":"invalid_request","output":"daemon:queue takes no arguments"}"#
            ),
            (
                #"["daemon:queue"]"#,
                #"{"event":"output","stream":"stdout","data":"MSBydW5uaW5n"}"# + "\n"
                    + #"{"event":"end","ok":true,"exit_status":0}"#
            ),
        ] {
            try Deadline().wait(socket.descriptor, what: "a connection")
            let connection = Stream(owning: try checked("accept", shim_accept(socket.descriptor)))
            #expect(try connection.line()?.text.contains(words) == true)
            try writeAll(Array("\(answer)\n".utf8), to: connection.descriptor)
        }
        #expect(try client.end() == ClientProcess.End(.status(0), "1 running\n"))
    }

    @Test func `the daemon's texts end with a newline`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.client("daemon:help").output.hasSuffix("\n"))
        #expect(try daemon.client("refresh").output == "Refreshed commands\n")
    }

    @Test func `a name that is a letter off has a suggestion`() throws {
        let daemon = try DaemonProcess()
        #expect(
            try daemon.client("apps:lst")
                == ClientProcess.End(
                    .status(64), "", "dokku-client: apps:lst is no command; did you mean apps:list?\n"))
        #expect(try daemon.client("daemon:quue").errors.contains("did you mean daemon:queue?"))
        let far = try daemon.client("\u{1B}[2Jnothing").errors
        #expect(far.contains("?[2Jnothing is no command") && !far.contains("\u{1B}"))
    }
}

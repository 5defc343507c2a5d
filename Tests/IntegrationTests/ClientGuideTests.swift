// The code of "Writing a client" in docs/protocol.md does what the text around it says.
import CEpollShim
import Foundation
import TestSupport
import Testing

@Suite struct ClientGuideTests {
    /// All blocks of a language, in their order.
    private func code(_ language: String) throws -> String {
        let page = contents(Repository.path("docs/protocol.md")).text
        let guide = try #require(page.components(separatedBy: "\n## Writing a client\n").last)
            .components(separatedBy: "\n## ")[0]
        let blocks = guide.components(separatedBy: "```\(language)\n").dropFirst()
            .map { $0.components(separatedBy: "```")[0] }
        try #require(!blocks.isEmpty)
        return blocks.joined(separator: "\n")
    }

    private func python(_ what: String, _ box: Box, socket: String) throws -> PipedProgram {
        let program = try box.write(
            code("python") + contents(DaemonProcess.client("guide.py")).text, to: "guide.py")
        let line = try box.write(String(repeating: "x", count: 1_000_000), to: "line")
        return try PipedProgram([
            "/usr/bin/python3", program, socket, Repository.path("docs/protocol.schema.json"), line, what,
        ])
    }

    private func succeeds(_ program: PipedProgram) throws {
        let result = try program.finish()
        #expect(result.exit == .status(0), "\(result.output)")
    }

    @Test func `the Python talks to the daemon`() throws {
        let daemon = try DaemonProcess()
        try succeeds(python("talk", daemon.box, socket: daemon.path))
        #expect(daemon.ran.dropFirst(2) == ["test:exit 1", "test:args 2", "test:args 3", "test:args kept"])
    }

    @Test func `what may be sent again has not run`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_QUEUE": "1"])
        let fifo = try daemon.box.fifo()
        let clients = try (0..<2).map { _ in try daemon.connect() }
        for client in clients {
            try client.send("test:block \(fifo.path)\n")
            try daemon.started("test:block")
            try daemon.settle()
        }
        try succeeds(python("full", daemon.box, socket: daemon.path))
        for client in clients {
            try fifo.release()
            #expect(try client.reply().ok)
        }
        #expect(daemon.ran.count == 2)
    }

    @Test func `what was interrupted has run in part`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        #expect(try daemon.submit("test:block", fifo.path) == 1)
        try daemon.box.journal.line(with: "held ")
        daemon.process.signal(SIGKILL)
        _ = try daemon.process.wait()
        let second = try DaemonProcess(daemon.box, sockets: [BoundSocket(sharing: daemon)])
        try succeeds(python("interrupted", second.box, socket: second.path))
        try fifo.release()
    }

    /// Where an older daemon, or one that dies, must be played.
    @Test(arguments: [
        (
            "refused",
            #"{"ok":false,"error":"invalid_request","output":"daemon:version takes no arguments"}"# + "\n"
        ),
        ("cut", #"{"ok":true,"outp"#), ("cut", ""),
    ]) func `no answer is made up`(what: String, answer: String) throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        let program = try python(what, box, socket: socket.path)
        try Deadline().wait(socket.descriptor, what: "a connection")
        let connection = Stream(owning: try checked("accept", shim_accept(socket.descriptor)))
        _ = try connection.line()
        try writeAll(Array(answer.utf8), to: connection.descriptor)
        shutdown(connection.descriptor, Int32(SHUT_RDWR))
        try succeeds(program)
    }

    @Test func `the JavaScript tells many answers apart`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let program = try daemon.box.write(
            code("js") + contents(DaemonProcess.client("guide.js")).text, to: "guide.js")
        try succeeds(PipedProgram(["node", program, daemon.path, fifo.path]))
    }

    private static let hasGo = (try? PipedProgram.run(["go", "version"])) != nil

    @Test(.enabled(if: hasGo, "there is no go here: the Go of docs/protocol.md is not run"))
    func `the Go reads a long line`() throws {
        let daemon = try DaemonProcess()
        let line = try daemon.box.write(String(repeating: "x", count: 1_000_000), to: "line")
        let program = try daemon.box.write(
            contents(DaemonProcess.client("guide.go")).text + code("go"), to: "guide.go")
        let go = try PipedProgram(
            ["go", "run", program, daemon.path, "test:bytes \(line)"],
            environment: ["HOME": daemon.box.path, "GOCACHE": daemon.box.path("cache"), "GO111MODULE": "off"])
        #expect(try go.finish() == ProgramResult(output: "1000023\n", exit: .status(0)))
    }
}

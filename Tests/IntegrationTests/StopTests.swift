// What a stop owes to clients, and what it does not: what was received is answered, what comes later is not taken, and
// nobody who does not read or does not stop sending holds it up.
import Glibc
import TestSupport
import Testing

@Suite struct StopTests {
    /// A stop may take this long, however long the running command's grace is.
    private static let soon = Duration.seconds(30)

    private func daemon(_ options: String = "") throws -> DaemonProcess {
        let box = try Box()
        return try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"), name: options)],
            settings: ["DOKKU_DAEMON_STOP_GRACE": "600"])
    }

    private func stop(_ daemon: DaemonProcess) throws {
        daemon.process.signal(SIGTERM)
        try daemon.manager.line("STOPPING=1", from: daemon.process)
    }

    // MARK: Inputs

    @Test(arguments: ["test:stdin", "apps:destroy x"])
    func `the rest of an input is no line`(command: String) throws {
        let daemon = try daemon()
        let fifo = try daemon.box.fifo()
        let running = try daemon.connect()
        try running.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        let client = try daemon.connect()
        try client.order(#"{"id":1,"command":"\#(command)","stdin_length":1000000}"#)
        try client.send("daemon:cancel 1\n")
        try daemon.settle()
        try stop(daemon)
        // A client that goes on with what it has begun.
        for _ in 0..<2000 { if (try? client.send("daemon:cancel 1\n")) == nil { break } }
        let answer = try client.answer()
        #expect(answer["error"] == (command == "test:stdin" ? "shutting_down" : "requires_force"))
        #expect((try? client.ends()) ?? true)
        try fifo.release()
        #expect(try running.reply() == .good("waiting\ndone"))
        #expect(try daemon.process.wait(patience: Self.soon) == .status(0))
        #expect(try !daemon.box.read("log").contains("daemon:cancel"))
    }

    @Test func `a stop takes what is there of an input but none of it is a line`() throws {
        let daemon = try daemon()
        let client = try daemon.connect()
        try client.send("daemon:version\n")
        #expect(try client.reply().ok)
        daemon.process.signal(SIGSTOP)
        try client.order(#"{"id":1,"command":"test:stdin","stdin_length":60000}"#)
        try client.send(String(repeating: "apps:create x\n", count: 3000))
        daemon.process.signal(SIGTERM)
        daemon.process.signal(SIGCONT)
        #expect(try client.answer()["error"] == "shutting_down")
        #expect(try daemon.process.wait(patience: Self.soon) == .status(0))
        #expect(try !daemon.box.read("log").contains("apps:create"))
    }

    @Test func `a one-shot input is not waited for`() throws {
        let daemon = try daemon("one-shot")
        let client = try daemon.connect()
        try client.order(#"{"id":1,"command":"test:stdin","stdin_length":10}"#)
        try client.send("abc")
        try daemon.settle()
        daemon.process.signal(SIGTERM)
        #expect(try client.answer(patience: Self.soon)["error"] == "shutting_down")
        #expect(try daemon.process.wait(patience: Self.soon) == .status(0))
    }

    // MARK: What was received

    @Test func `received requests are answered`() throws {
        let daemon = try daemon()
        let client = try daemon.connect()
        #expect(try client.ask("daemon:version").ok)
        daemon.process.signal(SIGSTOP)
        try client.send(String(repeating: "daemon:version\n", count: 900) + "daemon:vers")
        daemon.process.signal(SIGTERM)
        daemon.process.signal(SIGCONT)
        for _ in 0..<900 { #expect(try client.reply().ok) }
        #expect(try client.ends())
        #expect(try daemon.process.wait(patience: Self.soon) == .status(0))
    }

    /// The last reply and the end come in one turn of the loop, and no event will follow.
    @Test func `the last answer is the end`() throws {
        let daemon = try daemon()
        let client = try daemon.connect()
        #expect(try client.ask("daemon:version").ok)
        daemon.process.signal(SIGSTOP)
        try client.send(String(repeating: "daemon:version\n", count: 900) + "daemon:version")
        client.halfClose()
        daemon.process.signal(SIGTERM)
        daemon.process.signal(SIGCONT)
        for _ in 0..<901 { #expect(try client.reply().ok) }
        #expect(try daemon.process.wait(patience: .seconds(10)) == .status(0))
    }

    @Test func `later requests are not taken`() throws {
        let daemon = try daemon()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        let idle = try daemon.connect()
        try client.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        daemon.process.signal(SIGTERM)
        // By then the stop has reached all clients.
        #expect(try idle.ends())
        try client.send("daemon:version\n")
        try fifo.release()
        #expect(try client.reply() == .good("waiting\ndone"))
        #expect(try client.ends())
        #expect(try daemon.process.wait(patience: Self.soon) == .status(0))
    }

    @Test func `a one-shot line without a newline is refused`() throws {
        let daemon = try daemon("one-shot")
        let client = try daemon.connect()
        try client.send("daemon:vers")
        try daemon.settle()
        daemon.process.signal(SIGTERM)
        // A line of its own where the stop comes later than the end of a line is waited for: no command either.
        #expect(try client.reply().ok == false)
        #expect(try daemon.process.wait(patience: Self.soon) == .status(0))
    }

    // MARK: Clients that do not end

    @Test func `a client that does not read is let go of`() throws {
        let daemon = try daemon()
        let deaf = try daemon.connect()
        try deaf.send("test:big 20000000\n")
        try daemon.box.journal.line(with: "end ")
        try daemon.settle()
        daemon.process.signal(SIGTERM)
        #expect(try daemon.process.wait(patience: Self.soon) == .status(0))
    }

    @Test func `a client that reads slowly is waited for`() throws {
        let daemon = try daemon()
        let slow = try daemon.connect()
        try slow.send("test:big 20000000\n")
        try daemon.box.journal.line(with: "end ")
        daemon.process.signal(SIGTERM)
        #expect(try slow.reply().output.utf8.count == 20_000_000)
        #expect(try slow.ends())
        #expect(try daemon.process.wait(patience: Self.soon) == .status(0))
    }

    @Test func `a client that sends without pause is let go of`() throws {
        let daemon = try daemon()
        let pourers = try ["reads", "deaf"].map { way in
            let pourer = try PipedProgram(["python3", DaemonProcess.client("pour.py"), daemon.path, way])
            #expect(try pourer.output.line()?.text == "ready")
            return pourer
        }
        try daemon.settle()
        daemon.process.signal(SIGTERM)
        #expect(try daemon.process.wait(patience: Self.soon) == .status(0))
        for pourer in pourers { #expect(try pourer.process.wait() == .status(0)) }
    }

    @Test func `the second TERM loses no answer of a client that reads`() throws {
        let daemon = try daemon()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send("test:block \(fifo.path)\n" + String(repeating: "daemon:version\n", count: 300))
        try daemon.box.journal.line(with: "held ")
        try stop(daemon)
        daemon.process.signal(SIGTERM)
        #expect(try client.reply().output.hasPrefix("waiting\n"))
        for _ in 0..<300 { #expect(try client.reply().ok) }
        #expect(try client.ends())
        #expect(try daemon.process.wait(patience: Self.soon) == .status(0))
    }

    @Test func `the second TERM waits for no reader`() throws {
        let daemon = try daemon()
        let deaf = try daemon.connect()
        try deaf.send("test:big 20000000\n")
        try daemon.box.journal.line(with: "end ")
        let fifo = try daemon.box.fifo()
        let running = try daemon.connect()
        try running.send("test:block \(fifo.path)\n")
        try daemon.box.journal.line(with: "held ")
        try stop(daemon)
        daemon.process.signal(SIGTERM)
        let reply = try running.reply()
        #expect(!reply.ok && reply.output.hasPrefix("waiting\n"))
        // Less than a reader is waited for otherwise.
        #expect(try daemon.process.wait(patience: .seconds(4)) == .status(0))
    }
}

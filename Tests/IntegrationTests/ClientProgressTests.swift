// The line that a person sees while a command waits: what it says, how wide it is, and that it is gone before anything else.
import CEpollShim
import Foundation
import TestSupport
import Testing

@Suite struct ClientProgressTests {
    /// A daemon whose queue is held by a command.
    private func busyDaemon() throws -> (daemon: DaemonProcess, holder: TestClient, fifo: Fifo) {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let holder = try daemon.connect()
        try holder.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        return (daemon, holder, fifo)
    }

    @Test func `it says what it waits for, and is gone before the output`() throws {
        let (daemon, _, fifo) = try busyDaemon()
        let terminal = try PseudoTerminal(columns: 200)
        let client = try ClientProcess(["test:args", "x"], to: daemon.path, on: terminal)
        let line = try client.output.upTo("s\u{1B}[K")
        #expect(line.hasPrefix("\rwaiting behind "))
        // The command comes from the daemon's listing.
        let named = try client.output.upTo("waiting behind test:block \(fifo.path), ")
        #expect(!named.contains("\n"))
        try fifo.release()
        let rest = try client.output.upTo("<x>\r\n")
        #expect(rest.hasSuffix("\r\u{1B}[K<x>\r\n"), "\(rest.debugDescription)")
        #expect(try client.process.wait() == .status(0))
    }

    @Test func `it is cut to the window, also to one that changes`() throws {
        let (daemon, _, fifo) = try busyDaemon()
        let terminal = try PseudoTerminal(columns: 20)
        let client = try ClientProcess(["test:args", "x"], to: daemon.path, on: terminal)
        let first = try client.output.upTo("\u{1B}[K").dropFirst().dropLast(3)
        #expect(first.hasPrefix("waiting behind ") && first.count == 19, "\(first)")
        _ = try client.output.upTo("\rwaiting behind tes…\u{1B}[K")
        try terminal.resize(columns: 200)
        _ = try client.output.upTo("\rwaiting behind test:block \(fifo.path), ")
        try terminal.resize(columns: 10)
        _ = try client.output.upTo("\rwaiting …\u{1B}[K")
        try fifo.release()
        _ = try client.output.upTo("<x>")
        #expect(try client.process.wait() == .status(0))
    }

    @Test func `after Ctrl-C it says what the next one does`() throws {
        let (daemon, _, fifo) = try busyDaemon()
        defer { withExtendedLifetime(fifo) {} }
        let terminal = try PseudoTerminal()
        let client = try ClientProcess(["apps:create", "x"], to: daemon.path, on: terminal)
        _ = try client.output.upTo("waiting behind")
        try terminal.type("\u{3}")
        _ = try client.output.upTo("\rending job 2; Ctrl-C again kills it\u{1B}[K\r\u{1B}[K")
        #expect(try client.process.wait() == .signal(SIGINT))
    }

    @Test(arguments: [["--quiet"], ["-q"], ["-d"], []])
    func `nothing is said where nobody looks`(options: [String]) throws {
        let (daemon, _, fifo) = try busyDaemon()
        let terminal = try PseudoTerminal()
        // Without an option, standard error is a pipe.
        let client = try ClientProcess(
            options + ["apps:create", "x"], to: daemon.path, errors: options.isEmpty ? nil : terminal.line,
            environment: ["TERM": "xterm"])
        try waits(daemon, job: 2)
        try othersAreTold(daemon)
        try fifo.release()
        let end = try client.end()
        #expect(end.exit == .status(0) && end.errors.isEmpty)
        #expect(try terminal.waitingBytes() == 0)
    }

    /// Returns when a client that came later shows the line, so that the earlier ones have had the time for it.
    private func othersAreTold(_ daemon: DaemonProcess) throws {
        let other = try ClientProcess(["test:args", "other"], to: daemon.path, on: PseudoTerminal())
        _ = try other.output.upTo("waiting")
    }

    /// Returns when the job waits in the queue.
    private func waits(_ daemon: DaemonProcess, job: Int) throws {
        try Deadline().poll("job \(job)") {
            try daemon.ask("daemon:queue").output.contains("\(job) waiting")
        }
    }

    @Test func `a dumb terminal gets no line`() throws {
        let (daemon, _, fifo) = try busyDaemon()
        let terminal = try PseudoTerminal()
        let client = try ClientProcess(
            ["test:args", "x"], to: daemon.path, on: terminal, environment: ["TERM": "dumb"])
        try waits(daemon, job: 2)
        try othersAreTold(daemon)
        try fifo.release()
        #expect(try client.output.upTo("\n") == "<x>\r\n")
        #expect(try client.process.wait() == .status(0))
    }

    /// A daemon that says what the test says.
    private func fake(_ box: Box, _ terminal: PseudoTerminal) throws
        -> (socket: BoundSocket, request: Stream, client: ClientProcess)
    {
        let socket = try BoundSocket(box.path("socket"))
        let client = try ClientProcess(["apps:create", "x"], to: socket.path, on: terminal)
        let request = try accept(socket)
        _ = try request.line()
        try writeAll(
            Array("{\"event\":\"queued\",\"job\":12,\"position\":2,\"waits_for\":11}\n".utf8),
            to: request.descriptor)
        return (socket, request, client)
    }

    private func accept(_ socket: BoundSocket) throws -> Stream {
        try Deadline().wait(socket.descriptor, what: "a connection")
        return Stream(owning: try checked("accept", shim_accept(socket.descriptor)))
    }

    private static let done = Array("{\"event\":\"end\",\"job\":12,\"ok\":true,\"exit_status\":0}\n".utf8)

    @Test func `a socket that does not tell of the queue is no error`() throws {
        let box = try Box()
        let terminal = try PseudoTerminal()
        let (socket, request, client) = try fake(box, terminal)
        let question = try accept(socket)
        #expect(try question.line()?.text == #"{"command":["daemon:queue","--format","json"]}"#)
        try writeAll(
            Array("{\"ok\":false,\"error\":\"denied\",\"output\":\"No\"}\n".utf8), to: question.descriptor)
        for _ in 0..<3 {
            _ = try client.output.upTo("\rwaiting behind job 11, ")
            #expect(try client.output.upTo("you").hasSuffix(" s; 2 before you"))
        }
        try writeAll(Self.done, to: request.descriptor)
        #expect(try client.process.wait() == .status(0))
        // It did not ask again.
        shim_set_nonblocking(socket.descriptor)
        #expect(shim_accept(socket.descriptor) == -1)
    }

    @Test func `a hostile name does nothing to the terminal`() throws {
        let box = try Box()
        let terminal = try PseudoTerminal()
        let (socket, request, client) = try fake(box, terminal)
        let question = try accept(socket)
        _ = try question.line()
        let client11 = #""client":{"pid":1,"uid":0},"queued_at":1"#
        let listing =
            #"[{"state":"running","job":11,"command":"\u001b]0;evil\u0007\u009b31m\u202e日本\n",\#(client11)},"#
            + #"{"state":"waiting","job":12,"command":"x",\#(client11),"waits_for":11}]"#
        try writeAll(
            Array(try (["ok": true, "exit_status": 0, "output": .text(listing)] as JSON).line.utf8) + [0x0A],
            to: question.descriptor)
        _ = try client.output.upTo("waiting behind ?]0;evil??31m?日本?, ")
        try writeAll(Self.done, to: request.descriptor)
        #expect(try client.process.wait() == .status(0))
    }
}

extension PseudoTerminal {
    /// How much was written that nobody has read.
    fileprivate func waitingBytes() throws -> Int32 {
        var entry = pollfd(fd: screen.descriptor, events: Int16(POLLIN), revents: 0)
        return try checked("poll", poll(&entry, 1, 0))
    }
}

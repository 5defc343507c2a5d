// `daemon:signal`, and the second `daemon:cancel` of a job.
import Glibc
import TestSupport
import Testing

@Suite struct JobSignalTests {
    /// In Python, because bash does not always act on SIGWINCH while it reads.
    private static let program = """
        import os, signal, time
        signal.signal(signal.SIGWINCH, lambda *_: os.write(1, b"got\\n"))
        os.write(1, b"ready\\n")
        while True: time.sleep(0.05)
        """

    /// A daemon whose job 1 says when it gets SIGWINCH, with pipes of its own.
    private func talker() throws -> (
        daemon: DaemonProcess, client: TestClient, output: HandedPipe, input: HandedPipe
    ) {
        let box = try Box()
        let daemon = try DaemonProcess(
            box,
            sockets: [
                BoundSocket(box.path("socket"), name: "descriptors"), BoundSocket(box.path("other")),
            ])
        let client = try daemon.connect()
        let (input, output) = (try HandedPipe(), try HandedPipe())
        _ = try client.ask(
            [
                "command": ["run", "talk", "/usr/bin/python3", "-c", .text(Self.program)],
                "descriptors": true, "stream": true,
            ], with: [input.reading.descriptor, output.writing, output.writing])
        #expect(try output.reading.line()?.text == "ready")
        return (daemon, client, output, input)
    }

    @Test func `a signal reaches the processes of a job`() throws {
        let (daemon, client, output, input) = try talker()
        defer { withExtendedLifetime(input) {} }
        for _ in 0..<2 {
            #expect(try daemon.ask("daemon:signal 1 WINCH") == .good("Sent WINCH to job 1"))
            #expect(try output.reading.line()?.text == "got")
        }
        #expect(try daemon.ask("daemon:signal 1 KILL").ok)
        let end = try client.outcome().end
        #expect(end["signal"] == "SIGKILL" && end["error"] == nil)
        try daemon.log.line(with: "daemon:signal 1 KILL")
    }

    @Test func `only a running job of the same socket is signalled`() throws {
        let (daemon, client, output, input) = try talker()
        defer { withExtendedLifetime((client, output, input)) {} }
        let waiting = try daemon.connect()
        let fifo = try daemon.box.fifo()
        for _ in 0..<2 { try waiting.order(#"{"id":1,"command":["test:block","\#(fifo.path)"]}"#) }
        try daemon.box.journal.line(with: "start ", fifo.path)
        for (path, line) in [
            ("socket", "daemon:signal 3 KILL"), ("socket", "daemon:signal 9 KILL"),
            ("other", "daemon:signal 1 KILL"),
        ] {
            let reply = try daemon.connect(daemon.box.path(path)).ask(line)
            #expect(!reply.ok && reply.output.hasPrefix("No job "), "\(path) \(line)")
        }
        for line in ["1", "1 STOP", "1 int", "1 9", "-1 INT", "1 INT INT", "INT", ""] {
            #expect(try !daemon.ask("daemon:signal \(line)").ok, "\(line)")
        }
        #expect(try daemon.ask("daemon:signal 1 WINCH").ok)
        #expect(try output.reading.line()?.text == "got")
    }

    @Test func `jobs that share a run are not signalled`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let held = try daemon.box.fifo("apps:list")
        let holder = try daemon.connect()
        try holder.order(#"{"command":["test:block","\#(fifo.path)"]}"#)
        try daemon.box.journal.line(with: "held ")
        let clients = try (0..<2).map { _ in
            let client = try daemon.connect()
            try client.order(#"{"command":"apps:list"}"#)
            return client
        }
        try daemon.settle()
        try fifo.release()
        try daemon.started("apps:list")
        #expect(try !daemon.ask("daemon:signal 2 KILL").ok)
        try held.release()
        for client in clients { #expect(try client.answer()["ok"] == true) }
    }

    @Test func `a second cancel kills at once`() throws {
        // Far longer than the test's patience.
        let daemon = try DaemonProcess(["DOKKU_DAEMON_KILL_GRACE": "3600"])
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.order(#"{"command":["test:ignore-term","\#(fifo.path)"]}"#)
        try daemon.box.journal.line(with: "held ")
        #expect(try daemon.ask("daemon:cancel 1") == .good("Cancelled job 1"))
        #expect(try daemon.ask("daemon:cancel 1") == .good("Killed job 1"))
        let answer = try client.answer()
        #expect(answer["signal"] == "SIGKILL" && answer["error"] == "cancelled")
    }
}

// `dokku-client daemon:events`: a live board on a terminal, which is left as it was, and lines in a pipe.
import CEpollShim
import Foundation
import TestSupport
import Testing

@Suite struct ClientBoardTests {
    private static let entry = "\u{1B}[?1049h"
    private static let exit = "\u{1B}[?25h\u{1B}[?1049l"

    private func board(
        _ daemon: DaemonProcess, _ terminal: PseudoTerminal, _ environment: [String: String] = [:]
    ) throws -> ClientProcess {
        let client = try ClientProcess(
            ["daemon:events"], to: daemon.path, on: terminal, environment: environment)
        _ = try client.output.upTo(Self.entry)
        _ = try client.output.upTo("live")
        return client
    }

    @Test func `each job is shown from its beginning to its end`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let terminal = try PseudoTerminal(columns: 120)
        let client = try board(daemon, terminal)
        let holder = try daemon.connect()
        try holder.send("test:block \(fifo.path)\n")
        _ = try client.output.upTo("=====> 1 running, 0 waiting")
        _ = try client.output.upTo("\u{1B}[36mrunning\u{1B}[0m")
        _ = try client.output.upTo("test:block \(fifo.path)")
        let other = try daemon.connect()
        try other.send("test:exit 3\n")
        _ = try client.output.upTo("=====> 1 running, 1 waiting")
        try fifo.release()
        _ = try client.output.upTo("\u{1B}[31mstatus 3\u{1B}[0m")
        _ = try client.output.upTo("\u{1B}[32mok\u{1B}[0m")
        try terminal.type("\u{3}")
        _ = try client.output.upTo(Self.exit)
        #expect(try client.process.wait() == .signal(SIGINT))
    }

    @Test(arguments: [SIGTERM, SIGHUP, SIGINT, SIGQUIT])
    func `the terminal is as it was after any end`(signal: Int32) throws {
        let daemon = try DaemonProcess()
        let terminal = try PseudoTerminal()
        let settings = try terminal.settings()
        let client = try board(daemon, terminal)
        client.process.signal(signal)
        _ = try client.output.upTo(Self.exit)
        #expect(try client.process.wait() == .signal(signal))
        #expect(try terminal.settings() == settings)
    }

    @Test func `a stop from the keyboard gives the screen back for a while`() throws {
        let daemon = try DaemonProcess()
        let terminal = try PseudoTerminal()
        let client = try board(daemon, terminal)
        client.process.signal(SIGTSTP)
        _ = try client.output.upTo(Self.exit)
        // It stops a moment after it has given the screen back.
        try Deadline().poll("a stop") { contents("/proc/\(client.process.pid)/stat").text.contains(") T ") }
        client.process.signal(SIGCONT)
        _ = try client.output.upTo(Self.entry)
        client.process.signal(SIGTERM)
        _ = try client.output.upTo(Self.exit)
        #expect(try client.process.wait() == .signal(SIGTERM))
    }

    @Test func `it fits into the window, without colours if nobody wants them`() throws {
        let daemon = try DaemonProcess()
        let terminal = try PseudoTerminal(columns: 20, rows: 5)
        let client = try board(daemon, terminal, ["NO_COLOR": "1"])
        #expect(try daemon.ask("test:args \(String(repeating: "x", count: 300))").ok)
        _ = try client.output.upTo("JOB")
        let frame = try client.output.upTo("\u{1B}[J")
        #expect(!frame.contains("[3"))
        for line in frame.utf8.split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: Array(line), as: UTF8.self).replacing(
                #/\x1B\[[0-9;?]*[a-zA-Z]/#, with: ""
            ).filter { $0 != "\r" }
            #expect(text.count <= 19, "\(text)")
        }
        try terminal.resize(columns: 200, rows: 30)
        _ = try client.output.upTo("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
        client.process.signal(SIGTERM)
        _ = try client.output.upTo(Self.exit)
    }

    @Test func `it goes on with the next daemon`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"))])
        let terminal = try PseudoTerminal(columns: 120)
        let settings = try terminal.settings()
        let client = try board(daemon, terminal)
        let socket = try BoundSocket(sharing: daemon)
        #expect(try daemon.stop() == .status(0))
        _ = try client.output.upTo("looking for the daemon")
        let second = try DaemonProcess(box, sockets: [socket])
        _ = try client.output.upTo("live")
        #expect(try second.ask("test:args again").ok)
        _ = try client.output.upTo("test:args again")
        // A daemon that is lost is looked for as well.
        second.process.signal(SIGKILL)
        _ = try client.output.upTo("the daemon has ended the connection; looking for the daemon")
        try terminal.type("\u{3}")
        _ = try client.output.upTo(Self.exit)
        #expect(try client.process.wait() == .signal(SIGINT) && terminal.settings() == settings)
    }

    @Test func `without a daemon there is no board`() throws {
        let box = try Box()
        let terminal = try PseudoTerminal()
        let client = try ClientProcess(["daemon:events"], to: box.path("none"), on: terminal)
        let text = try client.output.upTo("\n")
        #expect(text.hasPrefix("dokku-client: there is no socket"))
        #expect(try client.process.wait() == .status(69))
        let piped = try ClientProcess(["daemon:events"], to: box.path("none")).end()
        #expect(piped.exit == .status(69))
    }

    // MARK: In a pipe

    @Test func `each event is a line, also of the next daemon`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"))])
        #expect(try daemon.ask("commands").ok)
        let client = try ClientProcess(["daemon:events"], to: daemon.path)
        func next() throws -> String {
            String((try client.output.line()?.text ?? "").drop { $0 != " " }.dropFirst())
        }
        #expect(try next() == "live")
        #expect(try !daemon.ask("test:exit 3").ok)
        #expect(try next() == "queued 1 test:exit 3")
        #expect(try next() == "started 1 test:exit 3")
        #expect(try next().hasPrefix("ended 1 test:exit 3 [status 3 after "))
        let socket = try BoundSocket(sharing: daemon)
        #expect(try daemon.stop() == .status(0))
        #expect(try next() == "the daemon is stopping")
        #expect(try next() == "the daemon has stopped; looking for the daemon")
        let second = try DaemonProcess(box, sockets: [socket])
        var text = ""
        repeat { text = try next() } while text != "live" && !text.isEmpty
        #expect(text == "live")
        client.process.signal(SIGTERM)
        #expect(try client.process.wait() == .signal(SIGTERM))
        try second.stop()
    }

    @Test func `a reader that stops while there is no daemon gets each line`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"))])
        let socket = try BoundSocket(sharing: daemon)
        let client = try ClientProcess(["daemon:events"], to: daemon.path)
        _ = try client.output.upTo(" live\n")
        let pipe = open("/proc/\(client.process.pid)/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(pipe) }
        repeat {} while write(pipe, String(repeating: "\n", count: 4096), 4096) > 0
        daemon.process.signal(SIGKILL)
        // The client looks for the daemon when its line is written; without the line it does so after a second.
        #expect(throws: Overdue.self) {
            try Deadline(.seconds(2)).wait(socket.descriptor, what: "a client")
        }
        let second = try DaemonProcess(box, sockets: [socket])
        #expect(try client.output.upTo(" live\n").contains("the connection; looking for the daemon\n"))
        client.process.signal(SIGTERM)
        #expect(try client.process.wait() == .signal(SIGTERM))
        try second.stop()
    }

    @Test func `a full disk does not end it while there is no daemon`() throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        let full = try checked("open", open("/dev/full", O_WRONLY | O_CLOEXEC))
        defer { close(full) }
        let client = try ClientProcess(["daemon:events"], to: socket.path, output: full)
        func connected() throws -> Stream {
            let isReady = try Deadline().wait(socket.descriptor, client.process.pidfd, what: "the client")
            #expect(isReady == [true, false])
            return Stream(owning: try checked("accept", shim_accept(socket.descriptor)))
        }
        for _ in 0..<2 {
            let daemon = try connected()
            _ = try daemon.line()
            try writeAll(Array("{\"event\":\"live\"}\n".utf8), to: daemon.descriptor)
        }
        _ = try connected()
        client.process.signal(SIGTERM)
        #expect(try client.process.wait() == .signal(SIGTERM))
    }

    @Test func `programs get the lines as they came`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("commands").ok)
        let client = try ClientProcess(["--json", "daemon:events"], to: daemon.path)
        #expect(try client.output.line()?.text == #"{"event":"live"}"#)
        #expect(try daemon.ask("test:args x").ok)
        let states = try (0..<3).map { _ in try JSON(try client.output.line() ?? [])["state"]?.text }
        #expect(states == ["queued", "started", "ended"])
        try daemon.stop()
        let end = try client.end()
        #expect(end.exit == .status(75) && end.output.contains(#""stopping""#))
    }
}

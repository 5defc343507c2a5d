// The client on a socket that takes descriptors: files and terminals of its own, as on the host.
import Foundation
import TestSupport
import Testing

@Suite struct ClientDescriptorTests {
    private typealias End = ClientProcess.End

    private func daemon() throws -> DaemonProcess {
        let box = try Box()
        return try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"), name: "descriptors")])
    }

    private func open(_ path: String, _ flags: Int32) throws -> Int32 {
        try checked("open", Glibc.open(path, flags | O_CLOEXEC, 0o644))
    }

    @Test func `a file takes the output itself, and the rest goes on as it did`() throws {
        let daemon = try daemon()
        let path = try daemon.box.write("before\n", to: "out")
        let file = try open(path, O_WRONLY | O_APPEND)
        defer { close(file) }
        let client = try ClientProcess(["test:both", "2"], to: daemon.path, output: file)
        #expect(try client.end() == End(.status(0), "", "err 0\nerr 1\n"))
        #expect(try daemon.box.read("out") == "before\nout 0\nout 1\n")
    }

    @Test func `the command reads the client's file where the client is in it`() throws {
        let daemon = try daemon()
        let file = try open(daemon.box.write("skipped\nread\n", to: "in"), O_RDONLY)
        defer { close(file) }
        lseek(file, 8, SEEK_SET)
        let client = try ClientProcess(["--stdin", "test:stdin"], to: daemon.path, input: .descriptor(file))
        #expect(try client.end() == End(.status(0), "read\n"))
    }

    @Test func `a file and a pipe go together`() throws {
        let daemon = try daemon()
        let file = try open(daemon.box.path("out"), O_WRONLY | O_CREAT)
        defer { close(file) }
        let bytes = [UInt8](repeating: 7, count: 1_000_000)
        let client = try ClientProcess(
            ["--stdin", "test:stdin"], to: daemon.path, input: .bytes(bytes), output: file)
        #expect(try client.end() == End(.status(0)))
        #expect(try daemon.box.bytes("out") == bytes)
    }

    @Test func `a file that the command does not read stays where it is`() throws {
        let daemon = try daemon()
        let file = try open(daemon.box.write("kept\n", to: "in"), O_RDONLY)
        let output = try open(daemon.box.path("out"), O_WRONLY | O_CREAT)
        defer {
            close(file)
            close(output)
        }
        let client = try ClientProcess(
            ["test:stdin"], to: daemon.path, input: .descriptor(file), output: output)
        #expect(try client.end() == End(.status(0)))
        #expect(lseek(file, 0, SEEK_CUR) == 0)
        #expect(try daemon.box.read("out") == "")
    }

    /// Leaves the terminal raw.
    private let raw = "stty raw; echo raw; IFS= read -r -N 1 byte; echo got $byte"

    @Test func `a program gets the terminal, and gives it back as it was`() throws {
        let daemon = try daemon()
        let terminal = try PseudoTerminal()
        let settings = try terminal.settings()
        let client = try ClientProcess(["run", "talk", "bash", "-c", raw], to: daemon.path, on: terminal)
        _ = try terminal.screen.upTo("raw")
        #expect(try terminal.settings() != settings)
        try terminal.type("x")
        _ = try terminal.screen.upTo("got x")
        #expect(try client.process.wait() == .status(0))
        #expect(try terminal.settings() == settings)
    }

    @Test func `a client that is killed at its terminal leaves it as it was`() throws {
        let daemon = try daemon()
        let terminal = try PseudoTerminal()
        let settings = try terminal.settings()
        let client = try ClientProcess(["run", "talk", "bash", "-c", raw], to: daemon.path, on: terminal)
        _ = try terminal.screen.upTo("raw")
        client.process.signal(SIGKILL)
        try client.process.wait()
        try Deadline().poll("the terminal's settings") { try terminal.settings() == settings }
        try daemon.box.journal.line(with: "end ", " ")
    }

    @Test func `Ctrl-C and the size of the window reach the program`() throws {
        let daemon = try daemon()
        let terminal = try PseudoTerminal()
        // In Python, because bash does not act on SIGWINCH while it reads from a terminal.
        let program = """
            import os, signal, time
            def resized(*_): os.write(1, b"WINCH %d\\n" % os.get_terminal_size(0).columns)
            def interrupted(*_):
                os.write(1, b"INT\\n")
                os._exit(3)
            signal.signal(signal.SIGWINCH, resized)
            signal.signal(signal.SIGINT, interrupted)
            os.write(1, b"ready\\n")
            while True: time.sleep(0.05)
            """
        let client = try ClientProcess(
            ["run", "talk", "/usr/bin/python3", "-c", program], to: daemon.path, on: terminal)
        _ = try terminal.screen.upTo("ready")
        try terminal.resize(columns: 132)
        _ = try terminal.screen.upTo("WINCH 132")
        try terminal.type("\u{3}")
        _ = try terminal.screen.upTo("INT")
        #expect(try client.process.wait() == .status(3))
    }

    /// The program would go on reading from the terminal that the shell has then.
    @Test func `Ctrl-Z does not stop a client whose terminal is a program's`() throws {
        let daemon = try daemon()
        let terminal = try PseudoTerminal()
        let client = try ClientProcess(["run", "talk", "cat"], to: daemon.path, on: terminal)
        try daemon.box.journal.line(with: "start ", "cat")
        try terminal.type("\u{1A}")
        try terminal.type("hello\n")
        _ = try terminal.screen.upTo("hello\r\nhello")
        try terminal.type("\u{4}")
        #expect(try client.process.wait() == .status(0))
    }

    @Test func `Ctrl-C ends a client whose program has not started`() throws {
        let box = try Box()
        // Nobody answers there.
        let socket = try BoundSocket(box.path("socket"))
        let terminal = try PseudoTerminal()
        let client = try ClientProcess(["run", "talk", "cat"], to: socket.path, on: terminal)
        try Deadline().wait(socket.descriptor, what: "a client that connects")
        try terminal.type("\u{3}")
        #expect(try client.process.wait() == .signal(SIGINT))
    }
}

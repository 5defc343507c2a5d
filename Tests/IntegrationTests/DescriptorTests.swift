// Requests with the client's own standard input, output and error: what a command of the queue does with them.
import Glibc
import TestSupport
import Testing

@Suite struct DescriptorTests {
    /// Of `</dev/null`.
    private final class Null {
        let descriptor = open("/dev/null", O_RDWR | O_CLOEXEC)
        deinit { close(descriptor) }
    }

    private let null = Null()

    @Test func `files are read and written where their client is in them`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let client = try daemon.connect()
        let input = try HandedFile("skipped, read", in: daemon.box)
        lseek(input.descriptor, 9, SEEK_SET)
        let output = try HandedFile("before ", in: daemon.box, flags: O_APPEND)
        let errors = try HandedFile("", in: daemon.box)
        let answer = try client.ask(
            ["id": 1, "command": ["test:stdin"], "descriptors": true],
            with: [input.descriptor, output.descriptor, errors.descriptor])
        #expect(answer["ok"] == true && answer["output"] == "" && answer["id"] == 1)
        #expect(output.text == "before read" && errors.text == "")
        #expect(input.offset == 13 && output.offset == 11)
        let both = try client.ask(
            ["command": ["test:both", "2"], "descriptors": true, "encoding": "base64"],
            with: [null.descriptor, output.descriptor, errors.descriptor])
        #expect(both["ok"] == true && both["output"] == "" && both["stderr"] == "")
        #expect(output.text == "before readout 0\nout 1\n" && errors.text == "err 0\nerr 1\n")
    }

    @Test func `what is no file is closed at once, and goes with the reply`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        let pipe = try HandedPipe()
        let errors = try HandedFile("", in: daemon.box)
        let terminal = try PseudoTerminal()
        try client.order(
            ["command": ["test:block", .text(fifo.path)], "descriptors": true, "terminal": "vt100"],
            with: [terminal.line, pipe.writing, errors.descriptor])
        try daemon.box.journal.line(with: "held ")
        pipe.endWriting()
        #expect(try pipe.reading.line() == nil)
        try fifo.release()
        #expect(try client.answer()["output"] == "waiting\ndone")
        let mixed = try client.ask(
            ["command": ["test:both", "1"], "descriptors": true, "stream": true],
            with: [terminal.line, terminal.line, errors.descriptor])
        #expect(mixed["event"] == "queued")
        let outcome = try client.outcome()
        #expect(outcome.text("stdout") == "out 0\n" && outcome.text("stderr") == "")
        #expect(errors.text == "err 0\n" && outcome.end["ok"] == true)
    }

    @Test func `an input in chunks needs a descriptor 0 that is no file`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let client = try daemon.connect()
        let pipe = try HandedPipe()
        let file = try HandedFile("abc", in: daemon.box)
        let request: JSON = ["command": ["test:stdin"], "descriptors": true, "stdin_chunks": true]
        let refused = try client.ask(request, with: [file.descriptor, pipe.writing, pipe.writing])
        #expect(refused["error"] == "invalid_request")
        #expect(
            try client.ask(request, with: [pipe.reading.descriptor, file.descriptor, pipe.writing])["event"]
                == "continue")
        try client.send("4\ndefg0\n")
        #expect(try client.answer()["ok"] == true)
        #expect(file.text == "defg")
        let required = try client.ask(
            ["command": ["certs:generate", "app"], "descriptors": true],
            with: [null.descriptor, pipe.writing, pipe.writing])
        #expect(required["error"] == "requires_stdin")
    }

    @Test func `a command that wants a pipe gets the file through one`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let client = try daemon.connect()
        let key = try HandedFile("no key\nssh-ed25519 AAAA\n", in: daemon.box)
        lseek(key.descriptor, 7, SEEK_SET)
        let output = try HandedFile("", in: daemon.box)
        let answer = try client.ask(
            ["command": ["ssh-keys:add", "name"], "descriptors": true],
            with: [key.descriptor, output.descriptor, output.descriptor])
        #expect(answer["ok"] == true, "\(output.text)")
        #expect(output.text.hasPrefix("SHA256:") && key.offset == 24)
    }

    @Test func `who has an output of its own shares no run`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let fifo = try daemon.box.fifo()
        let holder = try daemon.connect()
        try holder.order(#"{"command":["test:block","\#(fifo.path)"]}"#)
        try daemon.box.journal.line(with: "held ")
        let files = try (0..<3).map { _ in try HandedFile("", in: daemon.box) }
        let clients = try files.map { file in
            let client = try daemon.connect()
            try client.order(
                ["command": ["apps:list"], "descriptors": true],
                with: [null.descriptor, file.descriptor, file.descriptor])
            return client
        }
        try daemon.settle()
        try fifo.release()
        for client in clients { #expect(try client.answer()["ok"] == true) }
        #expect(files.allSatisfy { $0.text.contains("deployed any applications") })
        #expect(daemon.ran.filter { $0 == "apps:list" }.count == 3)
    }

    @Test func `descriptors that wait are counted`() throws {
        // So few descriptors that those of one request fit.
        let daemon = try DaemonProcess.takingDescriptors(shell: "ulimit -n 200")
        let fifo = try daemon.box.fifo()
        let holder = try daemon.connect()
        try holder.order(#"{"command":["test:block","\#(fifo.path)"]}"#)
        try daemon.box.journal.line(with: "held ")
        let file = try HandedFile("x", in: daemon.box)
        let files = [file.descriptor, file.descriptor, file.descriptor]
        let request: JSON = ["command": ["test:args", "on"], "descriptors": true]
        let waiting = try daemon.connect()
        try waiting.order(request, with: files)
        try daemon.settle()
        let next = try daemon.connect()
        #expect(try next.ask(request, with: files)["error"] == "queue_full")
        #expect(try next.ask("daemon:version").ok)
        try fifo.release()
        #expect(try waiting.answer()["ok"] == true)
        try Deadline().poll("room for descriptors") {
            try next.ask(request, with: files)["ok"] == true
        }
    }

    @Test func `only a socket with the rule says that it takes descriptors`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(
            box,
            sockets: [
                BoundSocket(box.path("socket"), name: "descriptors"), BoundSocket(box.path("other")),
            ])
        func features(_ path: String) throws -> [String] {
            let answer = try daemon.connect(path).ask("daemon:version --format json")
            return try JSON(Array(answer.output.utf8))["features"]?.list?.compactMap(\.text) ?? []
        }
        #expect(try features(box.path("socket")).contains("descriptors"))
        #expect(try !features(box.path("other")).contains("descriptors"))
        #expect(try features(box.path("other")).contains("signal"))
        let client = try daemon.connect(box.path("other"))
        let answer = try client.request(#"{"command":"test:args on","descriptors":true}"#)
        #expect(answer["error"] == "invalid_request")
    }

    /// An earlier daemon may have made the kernel refuse files for this very socket.
    @Test func `a socket that refused descriptors takes them after a restart`() throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        try DaemonProcess(box, sockets: [socket]).stop()
        // It has connected before the next daemon sets anything.
        let early = try TestClient(to: box.path("socket"))
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(renaming: socket, to: "descriptors")])
        let file = try HandedFile("", in: box)
        for client in [early, try daemon.connect()] {
            #expect(try client.ask("daemon:version").ok)
            let answer = try client.ask(
                ["command": ["test:args", "on"], "descriptors": true],
                with: [null.descriptor, file.descriptor, file.descriptor])
            #expect(answer["ok"] == true)
        }
        #expect(file.text == "<on>\n<on>\n")
    }

    @Test func `a limited socket takes what its other rules allow`() throws {
        let box = try Box()
        _ = try box.makeFolder("allow")
        try box.write("test:stdin <\ntest:args *\nrun talk *\nenter talk ... <\n", to: "allow/blog")
        let daemon = try DaemonProcess.takingDescriptors(
            ["DOKKU_DAEMON_ALLOW_DIR": box.path("allow")], more: ",allow=blog", box: box)
        let client = try daemon.connect()
        let file = try HandedFile("x", in: box)
        let pipe = try HandedPipe()
        func ask(_ command: String, _ input: Int32) throws -> JSON? {
            let answer = try client.ask(
                ["command": .text(command), "descriptors": true], with: [input, pipe.writing, pipe.writing])
            return answer["error"] ?? answer["ok"]
        }
        #expect(try ask("test:stdin", file.descriptor) == true)
        #expect(try ask("test:args a", null.descriptor) == true)
        #expect(try ask("test:args a", file.descriptor) == "denied")
        #expect(try ask("test:args a", pipe.reading.descriptor) == true)
        // What talks to its client reads whatever the client hands over.
        #expect(try ask("run talk true", pipe.reading.descriptor) == "denied")
        #expect(try ask("run talk true", null.descriptor) == true)
        #expect(try ask("enter talk true", pipe.reading.descriptor) == true)
        #expect(try ask("daemon:signal 1 INT", null.descriptor) == "denied")
    }

    @Test func `a read-only socket takes outputs, and no input`() throws {
        let daemon = try DaemonProcess.takingDescriptors(more: ",read-only")
        let client = try daemon.connect()
        let file = try HandedFile("x", in: daemon.box)
        let output = try HandedFile("", in: daemon.box)
        let request: JSON = ["command": ["apps:list"], "descriptors": true]
        let outputs = [output.descriptor, output.descriptor]
        #expect(try client.ask(request, with: [null.descriptor] + outputs)["ok"] == true)
        #expect(output.text != "")
        #expect(try client.ask(request, with: [file.descriptor] + outputs)["error"] == "denied")
        #expect(try client.request(#"{"command":"daemon:signal 1 INT"}"#)["error"] == "denied")
    }

    @Test func `the daemon's own commands answer as ever`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let client = try daemon.connect()
        let file = try HandedFile("", in: daemon.box)
        let files = [null.descriptor, file.descriptor, file.descriptor]
        let answer = try client.ask(["command": ["daemon:queue"], "descriptors": true], with: files)
        #expect(answer["ok"] == true && file.text == "")
        let submitted = try client.ask(
            ["command": ["daemon:submit", "apps:list"], "descriptors": true], with: files)
        #expect(submitted["error"] == "invalid_request")
    }
}

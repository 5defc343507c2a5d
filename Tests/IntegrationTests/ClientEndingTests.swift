// How the client ends if not as the command does: Ctrl-C, a reader that leaves, and a daemon that goes away.
import CEpollShim
import Foundation
import TestSupport
import Testing

@Suite struct ClientEndingTests {
    private typealias End = ClientProcess.End

    @Test func `Ctrl-C ends the command and then the client`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try ClientProcess(["test:block", fifo.path], to: daemon.path)
        #expect(try client.output.line()?.text == "waiting")
        client.process.signal(SIGINT)
        #expect(try client.end() == End(.signal(SIGINT)))
        try daemon.box.journal.line(with: "end ", " ")
        #expect(try daemon.ask("test:exit 0").ok)
    }

    @Test func `the second Ctrl-C kills`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try ClientProcess(["test:ignore-term", fifo.path], to: daemon.path)
        #expect(try client.output.line()?.text == "deaf")
        client.process.signal(SIGINT)
        try daemon.log.line(with: "daemon:cancel")
        client.process.signal(SIGINT)
        #expect(try client.end().exit == .signal(SIGINT))
        #expect(try daemon.ask("test:exit 0").ok)
    }

    @Test func `a command that waits is taken out of the queue`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let first = try ClientProcess(["test:block", fifo.path], to: daemon.path)
        #expect(try first.output.line()?.text == "waiting")
        let second = try ClientProcess(["test:args", "never"], to: daemon.path)
        try daemon.log.line(with: "test:args")
        second.process.signal(SIGTERM)
        #expect(try second.end() == End(.signal(SIGTERM)))
        // The client may have left before it knew of a job. The daemon then sees that next, and drops the command.
        try Deadline().poll("an empty queue") {
            try !daemon.ask("daemon:queue").output.contains("test:args")
        }
        try fifo.release()
        #expect(try first.end() == End(.status(0), "done\n"))
        #expect(!daemon.ran.contains("test:args never"))
    }

    /// It leaves instead, which ends the command as well.
    @Test func `a signal also ends a client that may not cancel`() throws {
        let daemon = try DaemonProcess.withRights(
            [("reading", "read-only")], settings: ["DOKKU_SYSTEM_USER": "root"])
        let fifo = try daemon.box.fifo()
        let first = try ClientProcess(["test:block", fifo.path], to: daemon.path)
        #expect(try first.output.line()?.text == "waiting")
        let terminal = try PseudoTerminal()
        let second = try ClientProcess(["apps:list"], to: daemon.box.path("reading"), on: terminal)
        _ = try second.output.upTo("waiting behind")
        try terminal.type("\u{3}")
        _ = try second.output.upTo("dokku-client: job 2 is being ended\r\n")
        #expect(try second.process.wait() == .signal(SIGINT))
        try Deadline().poll("an empty queue") {
            try !daemon.ask("daemon:queue").output.contains("apps:list")
        }
        try fifo.release()
        #expect(try first.end().exit == .status(0))
    }

    @Test func `a reader that leaves ends the command`() throws {
        let daemon = try DaemonProcess()
        let program = try PipedProgram(
            ["bash", "-c", "\"$0\" events -t | head -n 1; echo \"${PIPESTATUS[0]}\"", ClientProcess.binary],
            environment: ["DOKKU_SOCK_PATH": daemon.path])
        #expect(try program.output.rest().text == "an event, and another one\n141\n")
        try daemon.box.journal.line(with: "end ", " ")
    }

    @Test func `Ctrl-C works while nobody reads the output`() throws {
        let daemon = try DaemonProcess()
        let client = try ClientProcess(["events", "-t"], to: daemon.path)
        _ = try client.output.bytes(1000)
        client.process.signal(SIGINT)
        try daemon.box.journal.line(with: "end ", " ")
        client.process.signal(SIGINT)
        #expect(try client.process.wait() == .signal(SIGINT))
    }

    @Test func `a killed client ends its command`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try ClientProcess(["test:block", fifo.path], to: daemon.path)
        #expect(try client.output.line()?.text == "waiting")
        client.process.signal(SIGKILL)
        try client.process.wait()
        try daemon.box.journal.line(with: "end ", " ")
    }

    @Test func `if the daemon goes away in the middle the outcome is unknown`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try ClientProcess(["test:block", fifo.path], to: daemon.path)
        #expect(try client.output.line()?.text == "waiting")
        daemon.process.signal(SIGKILL)
        let end = try client.end()
        #expect(end.exit == .status(69))
        #expect(end.errors.hasSuffix("outcome unknown\n"), "\(end)")
    }

    /// A daemon that made its socket itself takes it along.
    @Test(arguments: [true, false])
    func `a command that waits is asked for again if the daemon restarts`(isHandedOver: Bool) throws {
        let box = try Box()
        let sockets = isHandedOver ? [try BoundSocket(box.path("socket"))] : []
        let first = try DaemonProcess(box, sockets: sockets)
        let fifo = try box.fifo()
        let running = try ClientProcess(["test:block", fifo.path], to: first.path)
        #expect(try running.output.line()?.text == "waiting")
        let waiting = try ClientProcess(["test:args", "later"], to: first.path)
        try first.log.line(with: "test:args")
        first.process.signal(SIGTERM)
        let note = "dokku-client: the daemon is stopping; waiting for the next one"
        #expect(try waiting.errors.line()?.text == note)
        try fifo.release()
        #expect(try running.end() == End(.status(0), "done\n"))
        #expect(try first.process.wait() == .status(0))
        let second = try DaemonProcess(box, sockets: sockets)
        #expect(try waiting.end() == End(.status(0), "<later>\n"))
        #expect(second.ran.filter { $0 == "test:args later" }.count == 1)
    }

    @Test func `without a daemon the client says where it looked`() throws {
        let box = try Box()
        let missing = try ClientProcess(["apps:list"], to: box.path("none")).end()
        #expect(missing.exit == .status(69))
        #expect(missing.errors.hasPrefix("dokku-client: there is no socket \(box.path("none"))"))
        _ = try BoundSocket(box.path("socket"))
        let deaf = try ClientProcess(["apps:list"], to: box.path("socket")).end()
        #expect(deaf.exit == .status(69))
        #expect(deaf.errors.hasPrefix("dokku-client: nobody listens at"))
    }

    @Test func `what is not allowed has a status of its own`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"), name: "read-only")],
            settings: ["DOKKU_DAEMON_MAX_QUEUE": "1"])
        let end = try daemon.client("apps:create", "blog")
        #expect(end.exit == .status(77))
        #expect(end.errors.hasPrefix("dokku-client: Not allowed on this read-only socket"))
    }

    @Test func `a wrong command line says what is wrong`() throws {
        let daemon = try DaemonProcess()
        for (words, text) in [
            (["dokku", "apps:list"], "leave out `dokku`"), (["--nope"], "--nope is no option"),
            ([], "no command is given"), (["--timeout", "x", "a"], "--timeout takes a number"),
            (["-S"], "-S needs a value"),
        ] {
            let end = try ClientProcess(words, to: daemon.path).end()
            #expect(end.exit == .status(64))
            #expect(end.errors.hasPrefix("dokku-client: \(text)"), "\(end)")
        }
    }

    @Test func `Ctrl-C works while no daemon takes the connection`() throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        // The least backlog, and whoever fills it.
        listen(socket.descriptor, 0)
        var others: [Int32] = []
        defer { others.forEach { close($0) } }
        while others.count < 10 {
            let other = shim_unix_socket()
            others.append(other)
            if shim_connect(other, socket.path) != 0 { break }
        }
        let client = try ClientProcess(["test:args"], to: socket.path)
        // It has begun when it is in connect(2).
        try Deadline().poll("a client that connects") {
            contents("/proc/\(client.process.pid)/wchan").text.contains("unix_wait_for_peer")
                || contents("/proc/\(client.process.pid)/syscall").text.hasPrefix("42 ")
        }
        client.process.signal(SIGINT)
        #expect(try client.end() == End(.signal(SIGINT)))
    }

    @Test func `output that nobody can get is told`() throws {
        let daemon = try DaemonProcess()
        for redirection in [">&-", ">/dev/full"] {
            let program = try PipedProgram(
                ["sh", "-c", "\"$0\" test:both 2 2>&1 \(redirection); echo $?", ClientProcess.binary],
                environment: ["DOKKU_SOCK_PATH": daemon.path])
            let text = try program.output.rest().text
            #expect(text.hasSuffix("74\n"), "\(redirection): \(text)")
        }
        let detached = try PipedProgram(
            ["sh", "-c", "\"$0\" -d test:both 2 >/dev/full; echo $?", ClientProcess.binary],
            environment: ["DOKKU_SOCK_PATH": daemon.path])
        #expect(try detached.output.rest().text.hasSuffix("74\n"))
    }

    @Test(arguments: [("VTALRM", 154), ("PROF", 155), ("PWR", 158), ("RTMIN", 162)])
    func `every signal has its number`(name: String, status: Int32) throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.client("test:signal", name).exit == .status(status))
    }

    /// What was written goes, also if the reader never takes all that waits.
    @Test func `a slow reader costs no memory`() throws {
        let daemon = try DaemonProcess()
        let client = try ClientProcess(["test:big", "60000000"], to: daemon.path)
        for _ in 0..<50 { _ = try client.output.bytes(1_000_000) }
        let status = contents("/proc/\(client.process.pid)/status").text.split(separator: "\n")
        let resident = status.first { $0.hasPrefix("VmHWM:") }?.split(separator: " ")
        let kilobytes = try #require(resident.flatMap { Int($0[1]) })
        #expect(kilobytes < 30_000)
        #expect(try client.output.rest().count == 10_000_000)
    }

    /// The socket is in the folder, and nothing else: no /proc, no /dev, no libraries.
    @Test(.enabled(if: geteuid() == 0, "only root may change the root folder"))
    func `it runs in an image that holds nothing else`() throws {
        let daemon = try DaemonProcess()
        let root = try Folder()
        try root.copy(program: ClientProcess.binary, to: "dokku-client")
        let link = root.path("socket")
        try FileManager.default.linkItem(atPath: daemon.path, toPath: link)
        let program = try PipedProgram(
            ["chroot", root.path, "/dokku-client", "-S", "/socket", "test:both", "1"])
        let text = try program.output.rest().text
        #expect(text == "out 0\nerr 0\n")
        let exit = try program.process.wait()
        #expect(exit == .status(0))
    }
}

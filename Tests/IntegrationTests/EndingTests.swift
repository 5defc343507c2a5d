// How the daemon ends, and what becomes of the commands it has taken.
import CEpollShim
import Glibc
import TestSupport
import Testing

@Suite struct EndingTests {
    /// A daemon with a command that runs until its FIFO is released.
    private func busy(
        _ settings: [String: String] = [:], command: String = "test:block"
    ) throws -> (daemon: DaemonProcess, client: TestClient, fifo: Fifo) {
        let daemon = try DaemonProcess(settings)
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send("\(command) \(fifo.path)\n")
        try daemon.box.journal.line(with: "held ")
        return (daemon, client, fifo)
    }

    @Test(arguments: [SIGTERM, SIGINT]) func `the running command may finish`(signal: Int32) throws {
        let (daemon, running, fifo) = try busy()
        let waiting = try daemon.connect()
        try waiting.send("apps:create never\n")
        try daemon.settle()
        daemon.process.signal(signal)
        let answer = try waiting.reply()
        #expect(!answer.ok && answer.output.contains("stopping"))
        try daemon.manager.line("STOPPING=1", from: daemon.process)
        // Taken by the kernel, not by the daemon: the next one serves it.
        let late = try daemon.connect()
        try late.send("apps:create late\n")
        try fifo.release()
        #expect(try running.reply() == .good("waiting\ndone"))
        #expect(try running.ends())
        #expect(try daemon.process.wait() == .status(0))
        #expect(daemon.ran == ["test:block \(fifo.path)"])
    }

    @Test func `lines behind the running one are answered too`() throws {
        let (daemon, running, fifo) = try busy()
        try running.send("apps:create a\napps:create b\n")
        try daemon.settle()
        daemon.process.signal(SIGTERM)
        try daemon.manager.line("STOPPING=1", from: daemon.process)
        try fifo.release()
        #expect(try running.reply() == .good("waiting\ndone"))
        for _ in 0..<2 {
            let answer = try running.reply()
            #expect(!answer.ok && answer.output.contains("stopping"))
        }
        #expect(try daemon.process.wait() == .status(0))
    }

    @Test func `the running command is ended after the grace`() throws {
        let (daemon, running, _) = try busy(["DOKKU_DAEMON_STOP_GRACE": "0.2"])
        daemon.process.signal(SIGTERM)
        let answer = try running.reply()
        #expect(!answer.ok)
        #expect(answer.output.hasPrefix("waiting\n"))
        #expect(try daemon.process.wait() == .status(0))
    }

    @Test func `a second TERM ends the command first`() throws {
        let (daemon, running, _) = try busy()
        daemon.process.signal(SIGTERM)
        try daemon.manager.line("STOPPING=1", from: daemon.process)
        daemon.process.signal(SIGTERM)
        let answer = try running.reply()
        #expect(!answer.ok)
        #expect(answer.output.hasPrefix("waiting\n"))
        #expect(try daemon.process.wait() == .status(0))
    }

    @Test func `a command that ignores TERM does not keep the daemon`() throws {
        let (daemon, running, _) = try busy(
            ["DOKKU_DAEMON_STOP_GRACE": "0.2", "DOKKU_DAEMON_KILL_GRACE": "0.2"], command: "test:ignore-term")
        daemon.process.signal(SIGTERM)
        daemon.process.signal(SIGTERM)
        #expect(try running.reply().ok == false)
        #expect(try daemon.process.wait() == .status(0))
    }

    @Test func `a client that does not read does not keep the daemon`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_STOP_GRACE": "0.2"])
        let deaf = try daemon.connect()
        try deaf.send("test:big 20000000\n")
        try daemon.box.journal.line(with: "end ")
        try daemon.settle()
        #expect(try daemon.stop() == .status(0))
    }

    @Test func `unread bytes are written out first`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try client.send("test:big 5000000\n")
        try daemon.box.journal.line(with: "end ")
        daemon.process.signal(SIGTERM)
        #expect(try client.reply().output.utf8.count == 5_000_000)
        #expect(try daemon.process.wait() == .status(0))
    }

    @Test func `clients with nothing to ask are let go of`() throws {
        let daemon = try DaemonProcess()
        let idle = try daemon.connect()
        let half = try daemon.connect()
        try half.send("apps:li")
        try daemon.settle()
        #expect(try daemon.stop() == .status(0))
        #expect(try idle.ends() && half.ends())
    }

    @Test func `a body that is not all there is not waited for`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try client.order(#"{"id":1,"command":"test:stdin","stdin_length":10}"#)
        try client.send("abc")
        try daemon.settle()
        daemon.process.signal(SIGTERM)
        let answer = try client.answer(patience: .seconds(10))
        #expect(answer["id"] == .number(1) && answer["error"] == .text("shutting_down"))
        #expect(try daemon.process.wait(patience: .seconds(10)) == .status(0))
        #expect(daemon.ran == [])
    }

    @Test func `a client that waits for the lock is answered`() throws {
        let daemon = try DaemonProcess()
        let own = try checked("open", open(daemon.box.path("lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o640))
        defer { close(own) }
        try checked("flock", flock(own, LOCK_EX))
        let (first, second) = (try daemon.connect(), try daemon.connect())
        try first.send("apps:create a\n")
        try daemon.settle()
        #expect(try daemon.ask("daemon:cancel 1").ok)
        #expect(try first.reply().ok == false)
        try second.send("apps:create b\n")
        try daemon.settle()
        daemon.process.signal(SIGTERM)
        #expect(try second.reply().output.contains("stopping"))
        #expect(try daemon.process.wait(patience: .seconds(10)) == .status(0))
        #expect(daemon.ran == [])
    }

    @Test func `a client that waits for the catalogue is answered`() throws {
        let box = try Box()
        let fifo = try box.fifo()
        let dokku = try box.write("#!/bin/sh\nread line <\(fifo.path)\n", to: "dokku", mode: 0o755)
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], settings: ["DOKKU_DAEMON_DOKKU": dokku])
        let client = try daemon.connect()
        try client.send("apps:create a\ncommands\n")
        #expect(try daemon.ask("daemon:version").ok)
        daemon.process.signal(SIGTERM)
        #expect(try client.reply(patience: .seconds(10)).output.contains("stopping"))
        #expect(try client.reply().ok == false)
        #expect(try daemon.process.wait(patience: .seconds(10)) == .status(0))
    }

    /// The end of a process that somebody else has started.
    private func waitForEnd(of pid: pid_t) throws {
        let pidfd = shim_pidfd_open(pid)
        if pidfd < 0, errno == ESRCH { return }
        defer { close(pidfd) }
        try Deadline(.seconds(10)).wait(pidfd, what: "the end of process \(pid)")
    }

    /// Whatever the daemon started for itself, or ends, goes with it.
    @Test func `a listing that ignores TERM is not left behind`() throws {
        let box = try Box()
        let fifo = try box.fifo()
        let script =
            "#!/bin/sh\ntrap '' TERM\necho \"held $$\" >>\"$STAND_IN_JOURNAL\"\nread line <\(fifo.path)\n"
        let dokku = try box.write(script, to: "dokku", mode: 0o755)
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], settings: ["DOKKU_DAEMON_DOKKU": dokku])
        let pid = try #require(pid_t(try box.journal.line(with: "held ").split(separator: " ")[1]))
        #expect(try daemon.stop() == .status(0))
        try waitForEnd(of: pid)
    }

    @Test func `processes of a cancelled command are not left behind`() throws {
        let (daemon, running, _) = try busy(command: "test:deaf-child")
        #expect(try daemon.ask("daemon:cancel 1").ok)
        #expect(try running.reply().ok == false)
        let child = try daemon.box.journal.line(with: "left ").split(separator: " ")[1]
        #expect(try daemon.stop() == .status(0))
        try waitForEnd(of: try #require(pid_t(child)))
    }

    @Test func `a hang-up reopens the log and touches no command`() throws {
        let (daemon, running, fifo) = try busy()
        rename(daemon.box.path("log"), daemon.box.path("log.1"))
        daemon.process.signal(SIGHUP)
        try daemon.log.wait("a log made anew") { _ in daemon.box.has("log") ? true : nil }
        try fifo.release()
        #expect(try running.reply() == .good("waiting\ndone"))
        #expect(try daemon.ask("apps:create a").ok)
        try daemon.log.line(with: "[cmd]", "apps:create a")
        let old = try daemon.box.read("log.1")
        #expect(old.contains("test:block") && !old.contains("apps:create"))
    }
}

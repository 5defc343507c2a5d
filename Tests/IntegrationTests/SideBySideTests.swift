// Reads beside the queue, and changes of several apps at once.
import Glibc
import TestSupport
import Testing

@Suite struct SideBySideTests {
    private func daemon(readers: Int = 0, workers: Int = 1, apps: String = "abc") throws -> DaemonProcess {
        let daemon = try DaemonProcess([
            "DOKKU_DAEMON_READERS": "\(readers)", "DOKKU_DAEMON_WORKERS": "\(workers)",
        ])
        for app in apps { #expect(try daemon.ask("apps:create \(app)").ok) }
        return daemon
    }

    /// Sends a command that runs until its FIFO is released.
    private func hold(_ line: String, _ daemon: DaemonProcess) throws -> (client: TestClient, fifo: Fifo) {
        let fifo = try daemon.box.fifo(line)
        let client = try daemon.connect()
        try client.send(line + "\n")
        try daemon.started(line)
        return (client, fifo)
    }

    private func isLocked(_ daemon: DaemonProcess) throws -> Bool {
        let own = try checked("open", open(daemon.box.path("lock"), O_RDWR | O_CLOEXEC))
        defer { close(own) }
        return flock(own, LOCK_EX | LOCK_NB) != 0
    }

    // MARK: Readers

    @Test func `a dashboard does not wait for a deploy`() throws {
        let daemon = try daemon(readers: 2)
        let deploy = try hold("ps:rebuild a", daemon)
        #expect(try daemon.ask("apps:list") == .good("=====> My Apps\na\nb\nc"))
        #expect(try daemon.ask(["command": "apps:exists a"])["ok"] == true)
        let status = try daemon.ask("daemon:status").output
        #expect(status.contains("\nreaders: 0 of 2\nworkers: 1 of 1\n"))
        try deploy.fifo.release()
        #expect(try deploy.client.reply().ok)
    }

    @Test func `no more readers run than may`() throws {
        let daemon = try daemon(readers: 2)
        let reads = try ["apps:exists a", "apps:exists b"].map { try hold($0, daemon) }
        let third = try daemon.connect()
        try third.send("apps:exists c\n")
        try daemon.settle()
        #expect(try daemon.ask("daemon:queue").output.hasSuffix("apps:exists c [waits for its turn]"))
        #expect(try daemon.ask("daemon:status").output.contains("\nreaders: 2 of 2\nworkers: 0 of 1\n"))
        // The queue is free meanwhile, and the lock with it.
        #expect(try !isLocked(daemon))
        #expect(try daemon.ask("apps:create d").ok)
        for read in reads { try read.fifo.release() }
        for read in reads { #expect(try read.client.reply().ok) }
        #expect(try third.reply().ok)
    }

    @Test func `a connection reads what it has changed`() throws {
        let daemon = try daemon(readers: 2)
        let other = try hold("ps:rebuild a", daemon)
        let client = try daemon.connect()
        try client.send(["id": 1, "command": "apps:create z"])
        try client.send(["id": 2, "command": "apps:list", "stream": true])
        #expect(try client.answer() == ["id": 2, "event": "queued", "job": 6, "position": 1, "waits_for": 5])
        #expect(try daemon.ask("apps:list") == .good("=====> My Apps\na\nb\nc"))
        try other.fifo.release()
        // The read starts when the change has exited, which may be before the change's reply.
        var lines: [JSON] = []
        while lines.count(where: { $0["ok"] == true }) < 2 { lines.append(try client.answer()) }
        #expect(lines.contains { $0["id"] == 1 && $0["ok"] == true })
        let output = lines.filter { $0["event"] == "output" }.compactMap { $0["data"]?.text }.joined()
        #expect(output == "=====> My Apps\na\nb\nc\nz\n")
    }

    @Test func `a file that a read writes keeps its turn`() throws {
        let daemon = try daemon(readers: 2)
        let deploy = try hold("ps:rebuild a", daemon)
        let client = try daemon.connect()
        try client.send("apps:list > \(daemon.box.path("list"))\n")
        try daemon.settle()
        #expect(try daemon.ask("daemon:queue").output.contains("[waits for job 4]"))
        #expect(!daemon.box.has("list"))
        try deploy.fifo.release()
        #expect(try client.reply().ok)
        #expect(try daemon.box.read("list").hasSuffix("a\nb\nc\n"))
    }

    // MARK: Workers

    @Test func `apps are deployed at the same time and one app is not`() throws {
        let daemon = try daemon(workers: 2)
        let one = try hold("ps:rebuild a", daemon)
        let same = try daemon.connect()
        try same.send("config:set a K=V\n")
        let two = try hold("ps:rebuild b", daemon)
        #expect(try daemon.ask("daemon:queue").output.hasSuffix(" [waits for job 4]"))
        #expect(try isLocked(daemon))
        try one.fifo.release()
        #expect(try one.client.reply().ok)
        #expect(try same.reply().ok)
        // Until the last one has ended.
        #expect(try isLocked(daemon))
        try two.fifo.release()
        #expect(try two.client.reply().ok)
        #expect(try !isLocked(daemon))
    }

    @Test func `what changes the host runs alone`() throws {
        let daemon = try daemon(workers: 3)
        let deploy = try hold("ps:rebuild a", daemon)
        let host = try daemon.connect()
        try host.send("test:args host\n")
        try daemon.settle()
        let behind = try daemon.connect()
        try behind.send("ps:rebuild b\n")
        try daemon.settle()
        #expect(daemon.ran.last == "ps:rebuild a")
        try deploy.fifo.release()
        #expect(try host.reply().ok && behind.reply().ok)
        #expect(daemon.ran.suffix(2) == ["test:args host", "ps:rebuild b"])
    }

    // MARK: The lock

    /// Waits with flock(1) for the lock, and writes to the journal when it has it.
    private func outsider(_ daemon: DaemonProcess) throws -> Spawned {
        let script = "echo \"start $$ outside\" >> '\(daemon.box.journal.path)'"
        let null = try checked("open", open("/dev/null", O_RDWR | O_CLOEXEC))
        defer { close(null) }
        let process = try Spawned(
            ["flock", daemon.box.path("lock"), "/bin/sh", "-c", script], descriptors: [null, null, null])
        let file = ":\(try daemon.box.status("lock").st_ino) "
        try Deadline().poll("a process that waits for the lock") {
            contents("/proc/locks").text.split(separator: "\n").contains {
                $0.contains("-> FLOCK") && $0.contains(file)
            }
        }
        return process
    }

    @Test func `a script outside has its turn between two commands`() throws {
        let daemon = try daemon()
        let first = try hold("ps:rebuild a", daemon)
        let second = try daemon.connect()
        try second.send("ps:rebuild b\n")
        try daemon.settle()
        let script = try outsider(daemon)
        try first.fifo.release()
        #expect(try script.wait() == .status(0))
        #expect(try second.reply().ok)
        #expect(daemon.ran.suffix(3) == ["ps:rebuild a", "outside", "ps:rebuild b"])
    }

    @Test func `no further command starts while a script outside waits`() throws {
        let daemon = try daemon(workers: 3)
        let running = try ["ps:rebuild a", "ps:rebuild b"].map { try hold($0, daemon) }
        let script = try outsider(daemon)
        let third = try daemon.connect()
        // The daemon looks for a process that waits, but not all the time.
        while true {
            try third.send("ps:rebuild c\n")
            try daemon.settle()
            if try daemon.ask("daemon:queue").output.contains(" waiting ") { break }
            #expect(try third.reply().ok)
        }
        let count = daemon.ran.count
        try running[0].fifo.release()
        #expect(try running[0].client.reply().ok)
        try daemon.settle()
        #expect(daemon.ran.count == count)
        try running[1].fifo.release()
        #expect(try script.wait() == .status(0))
        #expect(try third.reply().ok)
        #expect(daemon.ran.suffix(2) == ["outside", "ps:rebuild c"])
    }

    @Test func `after a crash each running command keeps the lock`() throws {
        let daemon = try daemon(workers: 2)
        let running = try ["ps:rebuild a", "ps:rebuild b"].map { try hold($0, daemon) }
        daemon.process.signal(SIGKILL)
        _ = try daemon.process.wait()
        try running[0].fifo.release()
        try daemon.box.journal.wait("the end of one") { $0.contains { $0.hasPrefix("end ") } ? true : nil }
        #expect(try isLocked(daemon))
        try running[1].fifo.release()
        let own = try checked("open", open(daemon.box.path("lock"), O_RDWR | O_CLOEXEC))
        defer { close(own) }
        #expect(flock(own, LOCK_EX) == 0)
    }
}

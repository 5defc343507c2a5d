// The lock file, by which the daemon and scripts outside take turns.
import Glibc
import TestSupport
import Testing

@Suite struct LockTests {
    /// A further descriptor of the lock file; closing it lets a lock go.
    private func open(_ daemon: DaemonProcess) throws -> Int32 {
        try checked("open", Glibc.open(daemon.box.path("lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o640))
    }

    @Test func `the lock is held exactly while a command runs`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        let own = try open(daemon)
        defer { close(own) }
        #expect(flock(own, LOCK_EX | LOCK_NB) == -1)
        try fifo.release()
        #expect(try client.reply().ok)
        #expect(flock(own, LOCK_EX | LOCK_NB) == 0)
    }

    @Test func `who holds the lock outside delays the command`() throws {
        let daemon = try DaemonProcess()
        let own = try open(daemon)
        try checked("flock", flock(own, LOCK_EX))
        let client = try daemon.connect()
        try client.send("apps:create patient\n")
        try daemon.settle()
        #expect(try daemon.ask("daemon:queue").output.contains("apps:create patient [waits for the lock"))
        #expect(daemon.ran == [])
        // Nobody else waits for what takes no lock.
        #expect(try daemon.ask("commands").ok)
        close(own)
        #expect(try client.reply() == .good("Creating patient... done"))
    }

    @Test func `the lock file names the commands`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("apps:create a").ok)
        let names = Set(try daemon.box.read("lock").split(whereSeparator: \.isWhitespace).map(String.init))
        #expect(
            names.isSuperset(of: ["apps:create", "buildpacks:set", "scheduler-k3s:cluster:add", "test:block"])
        )
        var status = stat()
        try checked("stat", stat(daemon.box.path("lock"), &status))
        #expect(status.st_mode & 0o777 == 0o640)
    }

    @Test func `a grandchild does not keep the lock`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_DRAIN_GRACE": "0.1"])
        let fifo = try daemon.box.fifo()
        #expect(try daemon.ask("test:grandchild \(fifo.path)").ok)
        let own = try open(daemon)
        defer { close(own) }
        #expect(flock(own, LOCK_EX | LOCK_NB) == 0)
    }

    @Test func `a link in the lock's place is not followed`() throws {
        let box = try Box()
        try box.write("as it was", to: "precious")
        try checked("symlink", symlink(box.path("precious"), box.path("lock")))
        let daemon = try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"))])
        let client = try daemon.connect()
        #expect(try client.ask("apps:create a").ok == false)
        #expect(try box.read("precious") == "as it was")
        #expect(daemon.ran == [])
        unlink(box.path("lock"))
        #expect(try client.ask("apps:create a").ok)
    }

    @Test func `the holder of the lock is named`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("apps:list").ok)
        #expect(try !daemon.ask("daemon:status").output.contains("waits for"))
        let own = try open(daemon)
        try checked("flock", flock(own, LOCK_EX))
        let client = try daemon.connect()
        try client.send("apps:create patient\n")
        let comm = contents("/proc/self/comm").text.split(separator: "\n").first ?? ""
        let holder = "the lock \(daemon.box.path("lock")), held by process \(getpid()) (\(comm))"
        try daemon.manager.line("STATUS=Waiting for \(holder); 1 waiting", from: daemon.process)
        #expect(try daemon.ask("daemon:queue").output.hasSuffix("apps:create patient [waits for \(holder)]"))
        #expect(try daemon.ask("daemon:status").output.contains("\nwaits for: \(holder), since "))
        close(own)
        #expect(try client.reply() == .good("Creating patient... done"))
        #expect(try !daemon.ask("daemon:status").output.contains("waits for"))
    }
}

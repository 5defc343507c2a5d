// Sockets that were bound before the daemon started, and that outlive it.
import CEpollShim
import Glibc
import TestSupport
import Testing

@Suite struct ActivationTests {
    @Test func `several sockets are served`() throws {
        let box = try Box()
        let sockets = try ["one", "two", "three"].map { try BoundSocket(box.path($0), name: "") }
        let daemon = try DaemonProcess(box, sockets: sockets, settings: ["DOKKU_SOCK_PATH": ""])
        #expect(try daemon.ask("apps:create python-app").ok)
        for socket in sockets {
            #expect(try daemon.connect(socket.path).ask("--quiet apps:list") == .good("python-app"))
        }
    }

    @Test func `a path that was not handed over is bound as well`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("given"))], settings: ["DOKKU_SOCK_PATH": box.path("own")]
        )
        #expect(try daemon.connect(box.path("given")).ask("apps:create a").ok)
        #expect(try daemon.connect(box.path("own")).ask("--quiet apps:list") == .good("a"))
    }

    @Test func `systemd's own tool activates the daemon`() throws {
        let box = try Box()
        let path = box.path("socket")
        let settings = DaemonProcess.settings(in: box).flatMap { ["-E", "\($0.key)=\($0.value)"] }
        let tool = try PipedProgram(
            ["systemd-socket-activate", "-l", path] + settings + [DaemonProcess.binary])
        while let line = try tool.output.line(), !line.text.contains("Listening") {}
        let client = try TestClient(to: path, owner: tool)
        #expect(try client.ask("apps:create python-app") == .good("Creating python-app... done"))
    }

    @Test func `a killed daemon's socket is served by the next one`() throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        let fifo = try box.fifo()
        let first = try DaemonProcess(box, sockets: [socket])
        let early = try first.connect()
        try early.send("test:block \(fifo.path)\n")
        try first.started("test:block")
        // It has said what it has to say: nobody will read more, and SIGPIPE would end it.
        try box.journal.line(with: "held ")
        first.process.signal(SIGKILL)
        try first.process.wait()

        let between = try TestClient(to: socket.path, owner: first)
        try between.send("apps:create patient\n")
        let second = try DaemonProcess(box, sockets: [socket])
        try second.settle()
        // The orphan still holds the lock, so that two commands never run at once.
        let wait = "apps:create patient [waits for the lock \(box.path("lock")), held by "
        #expect(try second.ask("daemon:queue").output.contains(wait))
        #expect(second.ran == ["test:block \(fifo.path)"])
        try fifo.release()
        #expect(try between.reply() == .good("Creating patient... done"))
    }

    @Test func `the socket stays when the daemon stops`() throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        let first = try DaemonProcess(box, sockets: [socket])
        #expect(try first.stop() == .status(0))
        let waiting = try TestClient(to: socket.path)
        try waiting.send("apps:create a\n")
        let second = try DaemonProcess(box, sockets: [socket])
        #expect(try waiting.reply().ok)
        #expect(try second.ask("--quiet apps:list") == .good("a"))
    }

    @Test func `an activated daemon ends when idle if asked to`() throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        // A client that is there before the daemon is let in before any time can be over.
        var early = try Optional(TestClient(to: socket.path))
        try early?.send("apps:create a\n")
        let first = try DaemonProcess(box, sockets: [socket], settings: ["DOKKU_DAEMON_IDLE_EXIT": "0.1"])
        #expect(try early?.reply().ok == true)
        early = nil
        #expect(try first.process.wait() == .status(0))
        // The socket stays, and the next client is the next daemon's.
        let late = try TestClient(to: socket.path)
        try late.send("--quiet apps:list\n")
        let second = try DaemonProcess(box, sockets: [socket])
        #expect(try late.reply() == .good("a"))
        #expect(try second.stop() == .status(0))
    }

    /// Its client has left, and the command is all there is. The watchdog's beats are the daemon's own clock: between two
    /// of them is twice the time that it may be idle.
    @Test func `a daemon that works is not idle`() throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        let fifo = try box.fifo()
        var client = try Optional(TestClient(to: socket.path))
        try client?.send("test:block \(fifo.path)\n")
        let daemon = try DaemonProcess(
            box, sockets: [socket],
            settings: ["DOKKU_DAEMON_IDLE_EXIT": "0.1", "WATCHDOG_USEC": "400000"])
        try daemon.started("test:block")
        client = nil
        daemon.manager.receive()
        let beats = daemon.manager.messages.count { $0 == "WATCHDOG=1" }
        try daemon.manager.line("WATCHDOG=1", count: beats + 3, from: daemon.process)
        #expect(!daemon.manager.messages.contains("STOPPING=1"))
        try fifo.release()
        #expect(try daemon.process.wait() == .status(0))
        #expect(daemon.log.lines.contains { $0.contains("[res] #1 status=0") })
    }

    enum Impostor: CaseIterable {
        case file, datagram, connectedless, internet
        func open(in box: Box) throws -> Int32 {
            switch self {
            case .file: Glibc.open(try box.write("no socket", to: "file"), O_RDONLY)
            case .datagram: socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            case .connectedless: shim_unix_socket()
            case .internet: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            }
        }
    }

    @Test(arguments: Impostor.allCases)
    func `a descriptor that is no listening socket stops the start`(impostor: Impostor) throws {
        let box = try Box()
        let given = try BoundSocket(impostor: impostor.open(in: box))
        let daemon = try DaemonProcess(box, sockets: [given], ready: false)
        #expect(try daemon.process.wait() != .status(0))
        #expect(daemon.errors.contains("Error: "))
    }
}

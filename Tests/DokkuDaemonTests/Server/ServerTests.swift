// Who is let in, and who gives way: a server with sockets of its own, stepped by hand.
import CEpollShim
import Glibc
import DokkuProtocol
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite final class ServerTests {
    private let folder: Folder
    private let loop: EventLoop
    private let owner = Owner()

    init() throws {
        folder = try Folder()
        loop = try EventLoop()
    }

    /// A server that listens at `open`, at `restricted` read-only, and at `one-shot`.
    private func serve(
        connections: Int, idleTime: Duration = .zero, descriptorEnd: Int = .max
    ) throws -> Server {
        let context = RunContext(
            loop: loop, launcher: Launcher(program: "/bin/true", environment: [:]), killGrace: .seconds(60),
            drainGrace: .seconds(60))
        let lock = CommandLock(path: folder.path("lock"))
        let log = AuditLog(path: nil) { _ in }
        let executor = Executor(
            limits: Executor.Limits(follow: 4, output: 1000, timeout: nil), lock: lock,
            context: context, records: CommandRecords(log: log, journal: nil, running: nil))
        let catalogue = CatalogueKeeper(
            context: context, lock: lock, store: CatalogueStore(folder: folder.path, pluginFolders: [])
        ) { _ in }
        var limits = ServerLimits(
            line: 1000, input: 1000, buffer: 1000, connections: connections, open: 64)
        limits.idleTime = idleTime
        limits.descriptorEnd = descriptorEnd
        let allotment = Allotment(
            spool: SpoolAccount(folder: folder.path, limit: 1 << 20), words: Budget(limit: 1 << 20),
            places: Budget(limit: 10))
        let attendance = Attendance(limits: limits)
        let judge = Judge(
            catalogue: catalogue, loop: loop, refusesAll: nil, tracing: Tracing(environment: [:]))
        let detached = DetachedParts(executor, folder.path, loop)
        let server = Server(
            loop: loop, limits: limits, allotment: allotment, attendance: attendance, log: log,
            requests: Dispatcher(
                executor: executor, detacher: detached.detacher, catalogue: catalogue,
                builtins: Builtins(
                    executor: executor, jobs: detached.answers, catalogue: catalogue, attendance: attendance,
                    account: allotment.spool,
                    judge: judge, log: log),
                judge: judge, log: log, loop: loop, limits: limits))
        try server.listen(
            [
                SocketPath(path: folder.path("open")).bind(ListenerRules()),
                SocketPath(path: folder.path("restricted")).bind(ListenerRules(.readOnly)),
                SocketPath(path: folder.path("one-shot")).bind(ListenerRules(.oneShot)),
            ], owner: owner)
        return server
    }

    private func connect(_ name: String = "open") throws -> Caller {
        try Caller(folder.path(name), loop)
    }

    // MARK: Silence

    /// What was sent in time is no silence, however late a busy loop comes to it.
    @Test func `a busy loop ends no line of one-shot`() throws {
        let server = try serve(connections: 100)
        let others = try (0..<80).map { _ in try connect() }
        for other in others { #expect(try other.isServed()) }
        let client = try connect("one-shot")
        try client.send("daemon:ver")
        try loop.turn(until: server.connectionCount == 81)
        // It was let in in one turn, and is read in the next.
        for _ in 0..<2 { try loop.turnOnce() }
        // More than the loop takes in one turn, and all of it before the client's.
        for other in others { try other.send("daemon:version\n") }
        try client.send("sion\n")
        let silence = Instant.now + .milliseconds(150)
        while Instant.now < silence {}
        #expect(try client.hasAnswer())
        withExtendedLifetime(server) {}
    }

    // MARK: Idle connections

    @Test func `the client that was idle longest gives way`() throws {
        let server = try serve(connections: 3)
        let callers = try (0..<3).map { _ in try connect() }
        for caller in [callers[1], callers[0], callers[2]] { #expect(try caller.isServed()) }
        let another = try connect()
        #expect(try another.isServed())
        #expect(try callers[1].hasEnded())
        for caller in [callers[0], callers[2], another] { #expect(try caller.isServed()) }
        #expect(server.connectionCount == 3)
    }

    @Test func `a client that waits or has begun a line gives way to nobody`() throws {
        let server = try serve(connections: 2)
        let (half, full) = (try connect(), try connect())
        try half.send("daemon:ver")
        try full.send("commands\n")
        try loop.turn(until: server.connectionCount == 2)
        try loop.turnOnce()
        #expect(try connect().isServed() == false)
        try half.send("sion\n")
        #expect(try half.hasAnswer())
    }

    @Test func `bytes that have come but were not read count too`() throws {
        let server = try serve(connections: 1)
        let first = try connect()
        #expect(try first.isServed())
        // Both come in one turn, and the newcomer's event may be handed out before.
        let another = try connect()
        try first.send("daemon:version\n")
        try loop.turn(until: server.connectionCount == 2)
        #expect(try first.hasAnswer())
        #expect(try another.isServed() == false)
    }

    @Test func `nobody gives way before the time`() throws {
        let server = try serve(connections: 1, idleTime: .seconds(60))
        let first = try connect()
        #expect(try first.isServed())
        #expect(try connect().isServed() == false)
        #expect(try first.isServed())
        withExtendedLifetime(server) {}
    }

    // MARK: Restricted sockets

    @Test func `restricted sockets leave some connections to others`() throws {
        let server = try serve(connections: 4, idleTime: .seconds(60))
        let restricted = try (0..<3).map { _ in try connect("restricted") }
        for caller in restricted { #expect(try caller.isServed()) }
        #expect(try connect("restricted").isServed() == false)
        let other = try connect()
        #expect(try other.isServed())
        #expect(try connect().isServed() == false)
        try loop.turn(until: server.connectionCount == 4)
    }

    /// Nor are others kept waiting by those that are turned away, which is done for some at a time.
    @Test func `a client that is turned away keeps nobody waiting`() throws {
        let server = try serve(connections: 4, idleTime: .seconds(60))
        let silent = try (0..<30).map { _ in try connect("restricted") }
        try loop.turn(until: !server.accepts(isRestricted: true))
        #expect(server.accepts(isRestricted: false))
        #expect(try connect().isServed())
        withExtendedLifetime(silent) {}
    }

    @Test func `a client that may do less displaces nobody who may do more`() throws {
        let server = try serve(connections: 2)
        let callers = try (0..<2).map { _ in try connect() }
        for caller in callers { #expect(try caller.isServed()) }
        #expect(try connect("restricted").isServed() == false)
        for caller in callers { #expect(try caller.isServed()) }
        // But the other way round.
        callers[0].close()
        try loop.turn(until: server.connectionCount == 1)
        let restricted = try connect("restricted")
        #expect(try restricted.isServed())
        #expect(try callers[1].isServed())
        #expect(try connect().isServed())
        #expect(try restricted.hasEnded())
    }

    // MARK: Descriptors

    @Test func `a client that would take a command's descriptor is told that there are too many`() throws {
        let server = try serve(connections: 100, idleTime: .seconds(60), descriptorEnd: 0)
        #expect(try connect().isServed() == false)
        withExtendedLifetime(server) {}
    }
}

/// A client of the server.
private final class Caller {
    private var socket: Descriptor?
    private let loop: EventLoop

    init(_ path: String, _ loop: EventLoop) throws {
        self.loop = loop
        let made = Descriptor(owning: try checked("socket", shim_unix_socket()))
        try #require(shim_connect(made.number, path) == 0)
        socket = consume made
    }

    func close() { socket = nil }

    func send(_ text: String) throws {
        guard let number = socket?.number else { return }
        let bytes = Array(text.utf8)
        try #require(write(number, bytes, bytes.count) == bytes.count)
    }

    /// Asks something. True for an answer, false where it is told that there are too many.
    func isServed() throws -> Bool {
        try send("daemon:version\n")
        return try hasAnswer()
    }

    /// Waits for a line.
    func hasAnswer() throws -> Bool { try receive().hasPrefix("{\"ok\":true") }

    func hasEnded() throws -> Bool { try receive().isEmpty }

    private func receive() throws -> String {
        guard let number = socket?.number else { return "" }
        var bytes = [UInt8](repeating: 0, count: 4096)
        var count = -1
        try loop.turn(
            until: {
                count = read(number, &bytes, bytes.count)
                return count >= 0 || errno != EAGAIN
            }(), "a line or an end")
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : ""
    }
}

private final class Owner: ServerOwner {
    func serverDidDrain() {}
}

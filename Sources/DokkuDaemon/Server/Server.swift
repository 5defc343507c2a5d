// All listeners and all connections: who is let in, and what they may hold together.
import CEpollShim
import Glibc

final class Server: Doorkeeper {
    /// What one connection, or all of them, may hold.
    struct Limits {
        /// Bytes of a line.
        var line: Int
        /// Bytes of one request's input.
        var input: Int
        /// How long an input may bring nothing; nil for ever.
        var inputTime: Duration?
        /// Bytes of unfinished lines of all clients.
        var buffer: Int
        var connections: Int
        /// JSON requests of one connection.
        var open: Int
        /// A connection whose descriptor's number is not below this one takes what commands need.
        var descriptorEnd = Int.max
        /// Connections that are told that there are too many, at once; beyond them nobody is accepted.
        var turnedAway = 16
        /// Where there are too many, one that was idle for so long gives way to another.
        var idleTime = Duration.seconds(60)
    }

    private static let smallRead = 4 * 1024
    /// Two small reads need less.
    private static let largestLineAllowance = 12 * 1024
    private static let pauseTime = Duration.seconds(1)
    /// How long clients may take to read their replies, when a daemon that stops has nothing else to do.
    private static let seeingOffTime = Duration.seconds(60)

    private enum Stage {
        case open
        /// Nobody is let in, and what was received is answered.
        case stopping
        /// All is answered, and waits for its readers alone.
        case seeingOff
    }

    let loop: EventLoop
    let limits: Limits
    private let allotment: Allotment
    private let restricted: Allotment
    let log: AuditLog
    let dispatcher: Dispatcher
    private let closer: Closer
    private var listeners: [Listener] = []
    private var clients: [Client?] = []
    /// Those that are served.
    private var admission: Admission
    /// Those that are told that there are too many.
    private var turnedAway: Admission
    /// When a connection last came or went.
    private(set) var lastActivity = Instant.now
    /// Bytes of unfinished lines.
    private let lines: Budget
    private let restrictedLines: Budget
    /// As much of each unfinished line counts for nothing: a short one is taken however much others hold.
    private let lineAllowance: Int
    private var pauseTimer: Timer?
    private var stage = Stage.open
    /// Called when the last connection of a stopping server is closed.
    var didDrain: () -> Void = {}

    init(
        loop: EventLoop, limits: Limits, allotment: Allotment, log: AuditLog, dispatcher: Dispatcher
    ) {
        self.loop = loop
        self.limits = limits
        self.allotment = allotment
        restricted = Allotment(restrictedShareOf: allotment)
        lines = Budget(limit: limits.buffer)
        restrictedLines = Budget(restrictedShareOf: lines)
        lineAllowance = min(Self.largestLineAllowance, limits.buffer / 1024)
        self.log = log
        self.dispatcher = dispatcher
        closer = Closer(timers: loop.timers)
        admission = Admission(limit: limits.connections)
        turnedAway = Admission(limit: limits.turnedAway)
    }

    func listen(_ sockets: [ListeningSocket]) {
        listeners = sockets.map { Listener($0, loop: loop, doorkeeper: self) }
    }

    // MARK: Connections

    func accepts(isRestricted: Bool) -> Bool {
        stage == .open && pauseTimer == nil && turnedAway.hasRoom(isRestricted: isRestricted)
    }

    func didAccept(_ connection: consuming Descriptor, at listener: Listener) {
        var credentials = shim_peer()
        _ = shim_peer_credentials(connection.number, &credentials)
        let peer = Peer(
            pid: credentials.pid, uid: credentials.uid, gid: credentials.gid, listener: listener.socket.name,
            isRestricted: listener.socket.options.isRestricted)
        let number = Int(connection.number)
        let isAdmitted = makeRoom(for: peer, at: number)
        let closer = listener.mayBringFiles(connection) ? closer : nil
        let client = Client(
            connection, peer: peer, options: listener.socket.options,
            refusal: isAdmitted ? nil : .tooManyConnections, server: self, closer: closer)
        while clients.count <= number { clients.append(nil) }
        clients[number] = client
        lastActivity = loop.now
        if isAdmitted {
            admission.enter(isRestricted: peer.isRestricted)
        } else {
            turnedAway.enter(isRestricted: peer.isRestricted)
        }
    }

    /// False where there is no room for a connection, and nobody gives way to it.
    private func makeRoom(for peer: Peer, at number: Int) -> Bool {
        if number < limits.descriptorEnd,
            admission.hasRoom(isRestricted: peer.isRestricted, besides: closer)
        {
            return true
        }
        // Who may do less than others does not displace them.
        let idle = clients.lazy.compactMap(\.self).compactMap { client in
            peer.isRestricted && !client.peer.isRestricted ? nil : client.idleSince.map { (client, $0) }
        }
        return idle.filter { [loop, limits] in loop.now - $0.1 >= limits.idleTime }
            .sorted { $0.1 < $1.1 }
            .contains { $0.0.giveWay() }
    }

    var connectionCount: Int { admission.count + turnedAway.count }

    func didClose(_ client: Client, number: Int32) {
        clients[Int(number)] = nil
        lastActivity = loop.now
        if client.refusal == nil {
            admission.leave(isRestricted: client.peer.isRestricted)
        } else {
            turnedAway.leave(isRestricted: client.peer.isRestricted)
        }
        resume()
        if stage != .open, connectionCount == 0 { didDrain() }
    }

    /// Lets nobody in for a while, since accept(2) fails: everybody else goes on, and the next close or a timer tries
    /// again.
    func pause() {
        guard pauseTimer == nil else { return }
        pauseTimer = loop.timers.schedule(after: Self.pauseTime) { [unowned self] in
            pauseTimer = nil
            resume()
        }
    }

    private func resume() {
        pauseTimer?.cancel()
        pauseTimer = nil
        for listener in listeners { listener.reconsider() }
    }

    /// What those who come through such a listener may hold together.
    func allotment(for options: ListenerOptions) -> Allotment {
        options.isRestricted ? restricted : allotment
    }

    // MARK: Buffers

    /// Clients that have their lines taken later hold what was read of them: less is read where all hold much.
    var readLimit: Int { lines.used > limits.buffer / 2 ? Self.smallRead : ReadBuffer.size }

    /// Keeps count of what clients have sent of lines that are not complete. Who goes beyond what is left for all
    /// loses that line.
    func didBuffer(_ count: Int, for client: Client, was accounted: inout Int) {
        let budget = client.peer.isRestricted ? restrictedLines : lines
        let price = max(0, count - lineAllowance)
        budget.give(accounted)
        accounted = budget.take(price) ? price : 0
        if accounted < price { client.dropUnfinishedLine() }
    }

    // MARK: Stopping

    /// Lets nobody in any more; clients get their answers to what was received by now, and then the end.
    func stop() {
        stage = .stopping
        for listener in listeners { listener.stop() }
        for client in clients { client?.stop() }
    }

    /// Every answer is there: who does not take its own is let go of.
    func seeOff() {
        if stage == .seeingOff { return }
        stage = .seeingOff
        let now = Instant.now
        for client in clients { client?.seeOff(since: now) }
        _ = loop.timers.schedule(after: Self.seeingOffTime) { [weak self] in
            for client in self?.clients ?? [] { client?.close() }
        }
    }

    /// Answers as before, but waits for no reader.
    func hurry() {
        for client in clients { client?.hurry() }
    }

    var isDrained: Bool { connectionCount == 0 }
}

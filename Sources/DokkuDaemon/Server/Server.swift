// All listeners and all connections: who is accepted, and what they may hold together.
import Glibc

/// The owner of the server.
protocol ServerOwner: AnyObject {
    /// The last connection of a stopping server is closed.
    func serverDidDrain()
}

final class Server {
    private static let smallRead = 4 * 1024
    /// Larger than two small reads.
    private static let largestLineAllowance = 12 * 1024
    private static let pauseTime = Duration.seconds(1)
    /// How long clients may take to read their replies when a stopping daemon has nothing else to do.
    private static let seeingOffTime = Duration.seconds(60)

    private enum Stage {
        /// Before `listen`.
        case closed
        case open
        /// No connection is accepted, and what was received is answered.
        case stopping
        /// Everything is answered, and only clients that read are awaited.
        case seeingOff
    }

    private let loop: EventLoop
    private let limits: ServerLimits
    /// What the clients of restricted sockets share, and what all others share.
    private lazy var restricted = context(Allotment(restrictedShareOf: allotment))
    private lazy var unrestricted = context(allotment)
    private let allotment: Allotment
    private let log: AuditLog
    private let requests: any RequestTaker
    private let closer: Closer
    private let fileCloser: FileCloser
    private var listeners: [Listener] = []
    private var clients: [Client?] = []
    private let attendance: Attendance
    /// When a connection last came or went.
    private(set) var lastActivity = Instant.now
    /// Bytes of unfinished lines.
    private let lines: Budget
    private let restrictedLines: Budget
    /// This part of each unfinished line is not counted, so that a short line is accepted however much others hold.
    private let lineAllowance: Int
    private var pauseTimer: Timer?
    private var stage = Stage.closed
    private weak var owner: (any ServerOwner)?

    init(
        loop: EventLoop, limits: ServerLimits, allotment: Allotment, attendance: Attendance, log: AuditLog,
        requests: any RequestTaker
    ) {
        self.loop = loop
        self.limits = limits
        self.allotment = allotment
        lines = Budget(limit: limits.buffer)
        restrictedLines = Budget(restrictedShareOf: lines)
        lineAllowance = min(Self.largestLineAllowance, limits.buffer / 1024)
        self.log = log
        self.requests = requests
        closer = Closer(timers: loop.timers)
        fileCloser = FileCloser(timers: loop.timers)
        self.attendance = attendance
    }

    func listen(_ sockets: [ListeningSocket], owner: any ServerOwner) {
        self.owner = owner
        stage = .open
        listeners = sockets.compactMap { Listener($0, loop: loop, doorkeeper: self) }
    }

    private func context(_ allotment: Allotment) -> ClientContext {
        ClientContext(
            loop: loop, limits: limits, allotment: allotment, log: log, requests: requests, owner: self)
    }

    /// False if there is no room for a connection, and no other one makes room for it.
    private func makeRoom(isRestricted: Bool, at number: Int) -> Bool {
        if number < limits.descriptorEnd,
            attendance.served.hasRoom(isRestricted: isRestricted, besides: closer)
        {
            return true
        }
        // A restricted client does not displace one without restrictions.
        let idle = clients.lazy.compactMap(\.self).compactMap { client in
            isRestricted && !client.rules.isRestricted ? nil : client.idleSince.map { (client, $0) }
        }
        return idle.filter { [loop, limits] in loop.now - $0.1 >= limits.idleTime }
            .sorted { $0.1 < $1.1 }
            .contains { $0.0.giveWay() }
    }

    private func resume() {
        pauseTimer?.cancel()
        pauseTimer = nil
        for listener in listeners { listener.reconsider() }
    }

    // MARK: Stopping

    /// Accepts no more connections. Clients get the answers to what was received so far, and then the end.
    func stop() {
        stage = .stopping
        for listener in listeners { listener.stop() }
        for client in clients { client?.stop() }
    }

    /// Nothing runs any more: connections of clients that do not read are closed.
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

    var connectionCount: Int { attendance.count }
    var isDrained: Bool { connectionCount == 0 }
}

extension Server: Doorkeeper {
    func accepts(isRestricted: Bool) -> Bool {
        stage == .open && pauseTimer == nil && attendance.turnedAway.hasRoom(isRestricted: isRestricted)
    }

    func didAccept(_ connection: consuming Descriptor, at listener: Listener, since time: BootTime) {
        let caller = Caller(connection, at: listener.socket, acceptedAt: time)
        let isRestricted = caller.peer.isRestricted
        let number = Int(connection.number)
        let isAdmitted = makeRoom(isRestricted: isRestricted, at: number)
        let passage = listener.passage(connection, closer, fileCloser)
        let client = Client(
            connection, caller: caller, rules: listener.socket.rules,
            refusal: isAdmitted ? nil : .tooManyConnections,
            context: isRestricted ? restricted : unrestricted, passage: passage)
        while clients.count <= number { clients.append(nil) }
        clients[number] = client
        lastActivity = loop.now
        if isAdmitted {
            attendance.served.enter(isRestricted: isRestricted)
        } else {
            attendance.turnedAway.enter(isRestricted: isRestricted)
        }
    }

    /// Accepts no connection for a while, because accept(2) fails. Clients go on, and the next close or a timer
    /// tries again.
    func pause() {
        guard pauseTimer == nil else { return }
        pauseTimer = loop.timers.schedule(after: Self.pauseTime) { [unowned self] in
            pauseTimer = nil
            resume()
        }
    }
}

extension Server: ClientOwner {
    var readLimit: Int { lines.used > limits.buffer / 2 ? Self.smallRead : ReadBuffer.size }

    func didBuffer(_ count: Int, isRestricted: Bool, was accounted: inout Int) -> Bool {
        let budget = isRestricted ? restrictedLines : lines
        let price = max(0, count - lineAllowance)
        budget.give(accounted)
        accounted = budget.take(price) ? price : 0
        return accounted == price
    }

    func didClose(_ number: Int32, isRestricted: Bool, wasServed: Bool) {
        clients[Int(number)] = nil
        lastActivity = loop.now
        if wasServed {
            attendance.served.leave(isRestricted: isRestricted)
        } else {
            attendance.turnedAway.leave(isRestricted: isRestricted)
        }
        resume()
        if stage != .open, isDrained { owner?.serverDidDrain() }
    }
}

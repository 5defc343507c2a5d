// The event loop: epoll, timers and the end of a turn. It knows descriptors and handlers, but not what they are
// for.
import CEpollShim
import Glibc

/// What a handler waits for.
struct Interest: OptionSet, Sendable {
    let rawValue: UInt32
    static let read = Interest(rawValue: EPOLLIN.rawValue)
    static let write = Interest(rawValue: EPOLLOUT.rawValue)
}

/// What the kernel reports, epoll_ctl(2).
struct Readiness: OptionSet, Sendable {
    let rawValue: UInt32
    static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// Both directions have ended. Reported whatever the interest is.
    static let hungUp = Readiness(rawValue: EPOLLHUP.rawValue)
    static let failed = Readiness(rawValue: EPOLLERR.rawValue)
}

/// The owner of a descriptor in the loop.
protocol EventHandler: AnyObject {
    func didBecomeReady(_ readiness: Readiness)

    /// Called at the end of each turn in which the handler was ready or was marked. It does what is due and returns
    /// its interest. With an empty interest a hang-up is still reported; nil waits for nothing at all.
    func settle() -> Interest?
}

/// Names a registration. A token is never reused, so a late event for a closed descriptor finds no handler.
struct Token: Equatable, Sendable {
    fileprivate let rawValue: UInt64
    fileprivate var index: Int { Int(rawValue & 0xFFFF_FFFF) }

    fileprivate init(rawValue: UInt64) { self.rawValue = rawValue }

    fileprivate init(descriptor: Int32, generation: UInt32) {
        rawValue = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
    }
}

final class EventLoop {
    private struct Slot {
        var handler: (any EventHandler)?
        var token = Token(rawValue: 0)
        /// The handler's interest.
        var wanted: Interest?
        /// The interest registered with epoll, a superset of `wanted`; nil if unregistered.
        var known: Interest?
        var isMarked = false
        /// epoll refused the registration.
        var isRefused = false
    }

    private let epoll: Descriptor
    private var events: UnsafeMutableBufferPointer<epoll_event>
    private var slots: [Slot] = []
    private var marked: [Token] = []
    /// Handlers that epoll refused: no event will come for them.
    private var refused: [Token] = []
    /// The last turn had events, but no handler wanted any of them.
    private var isIdling = false
    private var generation: UInt32 = 0
    private var isStopped = false
    private static let retryPause = Duration.milliseconds(100)
    private static let idlingPause: Int32 = 10
    let timers = TimerQueue()
    let buffer = ReadBuffer()
    /// The start of the current turn.
    private(set) var now = Instant.now

    init() throws(SystemError) {
        epoll = Descriptor(owning: try retrying("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        events = .allocate(capacity: 64)
    }

    deinit { events.deallocate() }

    /// Adds a handler. The loop keeps it until `remove`, and first calls its `settle` at the end of this turn.
    func add(_ descriptor: borrowing Descriptor, _ handler: any EventHandler) -> Token {
        generation &+= 1
        let token = Token(descriptor: descriptor.number, generation: generation)
        while slots.count <= token.index { slots.append(Slot()) }
        slots[token.index] = Slot(handler: handler, token: token)
        mark(token)
        return token
    }

    /// Forgets a handler, and removes its descriptor from epoll. If no other process holds the file (`isShared` is
    /// false), closing it does that (epoll(7), question 6). A child holds all open files until its exec, on a busy
    /// machine for milliseconds after posix_spawn(3) has returned. Until then epoll would report a hang-up without
    /// end.
    func remove(_ token: Token, isShared: Bool = true) {
        guard isCurrent(token) else { return }
        if isShared, slots[token.index].known != nil {
            _ = shim_epoll_control(epoll.number, EPOLL_CTL_DEL, Int32(token.index), 0, 0)
        }
        slots[token.index] = Slot()
    }

    /// Calls the handler's `settle` at the end of this turn.
    func mark(_ token: Token) {
        guard isCurrent(token), !slots[token.index].isMarked else { return }
        slots[token.index].isMarked = true
        marked.append(token)
    }

    func run() throws(SystemError) {
        isStopped = false
        while !isStopped { try turn(waiting: nil) }
    }

    /// Makes `run` return at the end of this turn, which waits for no event.
    func stop() { isStopped = true }

    /// One turn: waits for events, the next timer or `limit`, hands the events out, and settles the handlers
    /// concerned.
    func turn(waiting limit: Duration?) throws(SystemError) {
        settle()
        let count = try wait(limit)
        now = Instant.now
        isIdling = count > 0
        for index in 0..<count {
            let event = events[index]
            let token = Token(rawValue: shim_event_token(&events[index]))
            guard isCurrent(token), isWanted(event.events, token) else { continue }
            isIdling = false
            mark(token)
            slots[token.index].handler?.didBecomeReady(Readiness(rawValue: event.events))
        }
        timers.fire(until: now)
        settle()
    }

    private func isCurrent(_ token: Token) -> Bool {
        token.index < slots.count && slots[token.index].token == token
    }

    private func wait(_ limit: Duration?) throws(SystemError) -> Int {
        // An unwanted event whose registration cannot be changed would come back at once.
        if isIdling, !refused.isEmpty { poll(nil, 0, Self.idlingPause) }
        let timeout = marked.isEmpty && !isStopped ? timers.millisecondsToNext(limit: limit) : 0
        let capacity = Int32(events.count)
        return Int(
            try retrying("epoll_wait") {
                shim_epoll_wait(epoll.number, events.baseAddress, capacity, timeout)
            })
    }

    /// Settling one handler may mark others. A few rounds let results travel within one turn. A handler that always
    /// marks itself gets its next round after the next epoll_wait(2).
    private func settle() {
        for _ in 0..<4 where !marked.isEmpty {
            let round = marked
            marked.removeAll(keepingCapacity: true)
            for token in round where isCurrent(token) {
                slots[token.index].isMarked = false
                let wanted = slots[token.index].handler?.settle()
                guard isCurrent(token) else { continue }
                slots[token.index].wanted = wanted
                if needsMore(slots[token.index]) { tell(token) }
            }
        }
    }

    /// Interest is narrowed only when an unwanted event arrives: it usually comes back first, and epoll_ctl(2)
    /// costs a system call. A handler that waits for nothing at all is unregistered at once, because a hang-up
    /// would be reported without end.
    private func needsMore(_ slot: Slot) -> Bool {
        guard let wanted = slot.wanted else { return slot.known != nil }
        guard let known = slot.known else { return true }
        return !known.isSuperset(of: wanted)
    }

    private func isWanted(_ events: UInt32, _ token: Token) -> Bool {
        let asked = events & (Interest.read.rawValue | Interest.write.rawValue)
        guard asked == events, let wanted = slots[token.index].wanted, asked & wanted.rawValue == 0 else {
            return true
        }
        tell(token)
        return false
    }

    private func tell(_ token: Token) {
        let (known, wanted) = (slots[token.index].known, slots[token.index].wanted)
        let operation = known == nil ? EPOLL_CTL_ADD : wanted == nil ? EPOLL_CTL_DEL : EPOLL_CTL_MOD
        let result = shim_epoll_control(
            epoll.number, operation, Int32(token.index), wanted?.rawValue ?? 0, token.rawValue)
        if result == 0 { slots[token.index].known = wanted } else { refuse(token) }
    }

    /// There is no memory for the registration, or the user's limit is reached, epoll_ctl(2). It is tried again
    /// after a pause, and the handler gets no events until then.
    private func refuse(_ token: Token) {
        if slots[token.index].isRefused { return }
        slots[token.index].isRefused = true
        refused.append(token)
        guard refused.count == 1 else { return }
        _ = timers.schedule(after: Self.retryPause) { [unowned self] in
            let tokens = refused
            refused = []
            for token in tokens where isCurrent(token) {
                slots[token.index].isRefused = false
                mark(token)
            }
        }
    }
}

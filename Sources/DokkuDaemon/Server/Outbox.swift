// What a client has yet to receive. Whole lines are added, and the client takes them at its own pace.

/// Replies in their order: first the backlog (large replies, and what a slow reader left), then the newest lines.
struct Outbox: ~Copyable {
    /// The most bytes sent to one client in one turn of the loop.
    static let turnLimit = 512 * 1024
    private static let highWaterMark = 256 * 1024
    /// A reply up to this size is put together in memory, so that one write sends it.
    static let inlineLimit = 64 * 1024
    /// A reply up to this size joins the one before it, so that a connection needs few files however much it leaves
    /// unread.
    private static let joinLimit = 1024 * 1024
    /// Room for a few short replies; it costs no more than room for one.
    private static let usualSize = 512
    /// Smaller sizes are not counted, because counting would cost each reply more than it is worth.
    private static let countedSize = 4096

    enum Level {
        case empty, usual
        /// No further request is taken, so that no more replies are added.
        case high
    }

    private enum Part {
        case spool(Spool)
        case shared(SharedBytes, sent: Int)
    }

    /// What more bytes are appended to.
    private enum Tail {
        /// A new part of the backlog.
        case none
        /// The last part of the backlog, which belongs to this outbox.
        case open(Spool)
        /// Bytes found no room and are in memory beyond the limit, until everything is sent. With the last part of
        /// the backlog, if that belongs to this outbox.
        case overfull(Spool?)
    }

    private var backlog: [Part] = []
    private var tail = Tail.none
    /// Bytes, of which the first `head` are sent.
    private var newest: [UInt8] = []
    private var head = 0
    /// The memory of `newest` that the store has counted, and the store, once something is counted.
    private var allocated = 0
    private var store: SpoolStore?

    /// Bytes that are not sent yet.
    private(set) var unsentCount = 0

    /// Whether bytes found no room.
    var isOverfull: Bool { if case .overfull = tail { true } else { false } }

    var level: Level {
        if isOverfull { return .high }
        return unsentCount == 0 ? .empty : unsentCount <= Self.highWaterMark ? .usual : .high
    }

    deinit {
        var allocated = allocated
        store?.didAllocate(0, was: &allocated)
    }

    /// Appends lines. False if more waits than may: the lines are kept anyway, and callers that can wait add no
    /// more.
    mutating func append(
        _ account: @autoclosure () -> SpoolAccount, _ write: (inout [UInt8]) -> Void
    ) -> Bool {
        let before = newest.count
        if before == 0 { newest.reserveCapacity(Self.usualSize) }
        write(&newest)
        unsentCount += newest.count - before
        return moveSurplus(account)
    }

    /// Appends the content of a finished reply.
    mutating func append(_ spool: Spool, _ account: @autoclosure () -> SpoolAccount) {
        unsentCount += spool.count
        if spool.isInMemory, spool.count <= Self.inlineLimit {
            newest.append(contentsOf: spool.memoryBytes)
            _ = moveSurplus(account)
            return
        }
        if newest.count > head { _ = moveToBacklog(account()) }
        // If there is no room for the bytes a second time, they stay where they are.
        if spool.count <= Self.joinLimit, let last = ownPart, let bytes = try? spool.unreadBytes(),
            (try? last.append(bytes.span)) != nil
        {
            return
        }
        spool.seal()
        add(.spool(spool), own: spool)
    }

    /// Appends bytes that other replies share. While there is plenty of memory, a copy is cheaper to send.
    mutating func append(_ shared: SharedBytes, _ account: SpoolAccount) {
        unsentCount += shared.count
        let limit = account.store.hasPlenty ? Self.inlineLimit : Self.countedSize
        if shared.count <= limit, let bytes = shared.memoryBytes {
            newest.append(contentsOf: bytes)
            _ = moveSurplus { account }
            return
        }
        if newest.count > head { _ = moveToBacklog(account) }
        add(.shared(shared, sent: 0), own: nil)
    }

    private var ownPart: Spool? {
        switch tail {
        case .none: nil
        case .open(let spool): spool
        case .overfull(let spool): spool
        }
    }

    /// Adds a part to the backlog. `own`: its spool, if it belongs to this outbox.
    private mutating func add(_ part: Part, own: Spool?) {
        backlog.append(part)
        if case .overfull = tail { tail = .overfull(own) } else { tail = own.map(Tail.open) ?? .none }
    }

    private mutating func moveSurplus(_ account: () -> SpoolAccount) -> Bool {
        guard newest.count - head > Self.countedSize else { return true }
        let account = account()
        store = account.store
        let isKept =
            newest.count - head <= min(Self.inlineLimit, account.store.memoryLimit) || moveToBacklog(account)
        recount()
        return isKept
    }

    private mutating func moveToBacklog(_ account: SpoolAccount) -> Bool {
        let spool: Spool
        if let last = ownPart {
            spool = last
        } else {
            spool = Spool(account: account)
            add(.spool(spool), own: spool)
        }
        let isWithin = keep(newest[head...], in: spool)
        newest = []
        head = 0
        recount()
        return isWithin
    }

    private mutating func keep(_ bytes: ArraySlice<UInt8>, in last: Spool) -> Bool {
        let isWithin = last.keep { $0.append(contentsOf: bytes) }
        if !isWithin { tail = .overfull(last) }
        return isWithin
    }

    private mutating func recount() {
        store?.didAllocate(newest.capacity > Self.countedSize ? newest.capacity : 0, was: &allocated)
    }

    /// Sends what the peer takes, up to a turn's share.
    mutating func flush(to socket: borrowing Descriptor) throws(SystemError) {
        defer { forgetSent() }
        var rest = Self.turnLimit
        while let part = backlog.first, rest > 0 {
            guard let count = try send(part, to: socket, limit: rest) else { return }
            unsentCount -= count
            rest -= count
        }
        while head < newest.count, rest > 0 {
            guard case .sent(let count) = try socket.write(newest[head...].prefix(rest)) else { return }
            unsentCount -= count
            head += count
            rest -= count
        }
    }

    /// Sends bytes of the backlog's first part, and removes the part when it is done. Nil if the peer takes no
    /// more.
    private mutating func send(
        _ part: Part, to socket: borrowing Descriptor, limit: Int
    ) throws(SystemError) -> Int? {
        let outcome: WriteOutcome
        let isDone: Bool
        switch part {
        case .spool(let spool):
            outcome = try spool.drain(to: socket, limit: limit)
            isDone = spool.count == 0
        case .shared(let shared, let sent):
            outcome = try shared.send(from: sent, to: socket, limit: limit)
            guard case .sent(let count) = outcome else { return nil }
            backlog[0] = .shared(shared, sent: sent + count)
            isDone = sent + count == shared.count
        }
        if isDone { backlog.removeFirst() }
        if backlog.isEmpty { tail = .none }
        if case .sent(let count) = outcome { return count }
        return nil
    }

    private mutating func forgetSent() {
        if head == newest.count {
            newest = []
            head = 0
        } else if head > Self.inlineLimit {
            // A reader that never quite catches up must not keep the bytes that it has read.
            newest.removeFirst(head)
            head = 0
        }
        if allocated > 0 { recount() }
    }

    /// Forgets everything, because nobody will read it.
    mutating func discard() { self = Outbox() }
}

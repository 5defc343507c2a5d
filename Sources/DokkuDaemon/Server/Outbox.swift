// What a client has yet to receive. Whole lines go in; the client takes them at its own pace.

/// Replies in their order: first the backlog (large replies, and what a slow reader left), then the newest lines.
struct Outbox {
    /// As much as goes to one client in one turn of the loop.
    static let turnLimit = 512 * 1024
    /// A reply up to this size is put together in one piece, and so leaves in one write.
    static let inlineLimit = 64 * 1024
    /// Room for a few short replies: as cheap to get as for one.
    private static let usualSize = 512

    private var backlog: [Spool] = []
    /// True where the backlog's last spool is ours to append to.
    private var isBacklogOpen = false
    /// Bytes, of which the first `head` are sent.
    private var newest: [UInt8] = []
    private var head = 0

    /// Bytes that were not sent yet.
    private(set) var unsentCount = 0

    var isEmpty: Bool { unsentCount == 0 }

    /// Adds lines. False says that the spools have no room: the lines are kept in memory all the same, and whoever
    /// has a choice adds no more.
    mutating func append(_ account: SpoolAccount, _ write: (inout [UInt8]) -> Void) -> Bool {
        let before = newest.count
        if before == 0 { newest.reserveCapacity(Self.usualSize) }
        write(&newest)
        unsentCount += newest.count - before
        return newest.count - head <= Self.inlineLimit || moveToBacklog(account)
    }

    /// Adds a finished reply's content.
    mutating func append(_ spool: Spool, _ account: SpoolAccount) {
        unsentCount += spool.count
        if spool.isInMemory, spool.count <= Self.inlineLimit {
            newest.append(contentsOf: spool.memoryBytes)
            return
        }
        if newest.count > head { _ = moveToBacklog(account) }
        backlog.append(spool)
        isBacklogOpen = false
    }

    private mutating func moveToBacklog(_ account: SpoolAccount) -> Bool {
        if !isBacklogOpen { backlog.append(Spool(account: account)) }
        isBacklogOpen = true
        let hasRoom = backlog.last?.keep { $0.append(contentsOf: newest[head...]) } ?? false
        newest = []
        head = 0
        return hasRoom
    }

    /// Sends what the peer takes, up to a turn's share.
    mutating func flush(to socket: borrowing Descriptor) throws(SystemError) {
        defer { forgetSent() }
        var rest = Self.turnLimit
        while let spool = backlog.first, rest > 0 {
            guard spool.count > 0 else {
                backlog.removeFirst()
                if backlog.isEmpty { isBacklogOpen = false }
                continue
            }
            guard case .sent(let count) = try spool.drain(to: socket, limit: rest) else { return }
            unsentCount -= count
            rest -= count
        }
        while head < newest.count, rest > 0 {
            guard case .sent(let count) = try socket.write(newest[head...]) else { return }
            unsentCount -= count
            head += count
            rest -= count
        }
    }

    private mutating func forgetSent() {
        if head == newest.count {
            newest = []
            head = 0
        } else if head > Self.inlineLimit {
            // A reader that never quite catches up must not keep what it has read.
            newest.removeFirst(head)
            head = 0
        }
    }

    /// Forgets everything: nobody is there to read it.
    mutating func discard() { self = Outbox() }
}

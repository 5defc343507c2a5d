// The socket of a client: its input, its unsent output, and whether its peer is still there.
//
// An error that it throws is not the peer's fault: unsent bytes are lost, so the connection must end.
import CEpollShim
import Glibc

/// What becomes of files that come with a connection's bytes.
enum Passage {
    /// The kernel lets none come.
    case shut
    /// They end the connection, which `Closer` closes, because they are still in it.
    case guarded(Closer)
    /// They are taken, up to three with a message.
    case open(Closer, FileCloser)

    fileprivate var closer: Closer? {
        switch self {
        case .shut: nil
        case .guarded(let closer), .open(let closer, _): closer
        }
    }
}

/// What a read has brought.
struct Delivery {
    var outcome: ReadOutcome
    var files: [PassedFile] = []
    /// False if files have stayed in the socket. It must not be read any more.
    var hasAll = true
}

struct Connection: ~Copyable {
    private enum Presence {
        case present
        /// Nobody reads replies any more.
        case deaf
        /// The peer has closed both directions: no more bytes will come.
        case gone
    }

    private var watch: Watch
    private let passage: Passage
    private var presence = Presence.present
    /// Everything was read, so no file can be left in the socket.
    private var isDrained = false
    private(set) var outbox = Outbox()

    init(_ socket: consuming Descriptor, in loop: EventLoop, passage: Passage = .shut) {
        if passage.closer != nil { shim_expect_files(socket.number) }
        watch = Watch(socket, in: loop)
        self.passage = passage
    }

    /// Registers the connection with the loop.
    mutating func start(for handler: any EventHandler) { watch.start(for: handler) }

    /// Makes its handler settle at the end of this turn.
    func mark() { watch.mark() }

    var number: Int32 { watch.number }
    var isClosed: Bool { watch.isClosed }
    var isDeaf: Bool { presence != .present }
    var isHungUp: Bool { presence == .gone }

    /// The peer with all that can be known of it; after the connection is closed, only what was known before.
    func identify(_ caller: Caller) -> Peer {
        watch.withDescriptor { caller.identified(through: $0) } ?? caller.peer
    }

    // MARK: Reading

    /// Reads once. After a hang-up, an empty socket is at its end. Unless `takingFiles` is set, and as long as too many files
    /// wait to be closed, files end the connection.
    mutating func read(
        into buffer: ReadBuffer, limit: Int, takingFiles: Bool, _ body: (Span<UInt8>) -> Void
    ) throws(SystemError) -> Delivery {
        do throws(SystemError) {
            var delivery =
                try watch.withDescriptor { socket throws(SystemError) in
                    try receive(socket, buffer, limit, takingFiles, body)
                } ?? Delivery(outcome: .end)
            if delivery.outcome == .end { isDrained = true }
            if delivery.outcome == .wouldBlock, isHungUp { delivery.outcome = .end }
            return delivery
        } catch {
            guard error.isPeerGone || error.hasFiles else { throw error }
            didHangUp()
            return Delivery(outcome: .end)
        }
    }

    private borrowing func receive(
        _ socket: borrowing Descriptor, _ buffer: ReadBuffer, _ limit: Int, _ takingFiles: Bool,
        _ body: (Span<UInt8>) -> Void
    ) throws(SystemError) -> Delivery {
        guard takingFiles, case .open(_, let closer) = passage, !closer.isFull else {
            let refusesFiles = passage.closer != nil
            return Delivery(
                outcome: try buffer.read(socket, limit: limit, refusingFiles: refusesFiles, body))
        }
        var files: [PassedFile] = []
        let (outcome, hasAll) = try buffer.read(
            socket, limit: limit, body, taking: { files.append(PassedFile($0, closer: closer)) })
        // Bytes that did not come have left their files in the socket, too: these are copies.
        if outcome == .wouldBlock { return Delivery(outcome: .wouldBlock) }
        return Delivery(outcome: outcome, files: files, hasAll: hasAll)
    }

    /// The number of unread bytes; nil if the peer has ended, so that they are the last.
    func unread() -> Int? {
        if isHungUp { return nil }
        var hasEnd: Int32 = 0
        let count = shim_unread(number, &hasEnd)
        return hasEnd != 0 ? nil : max(0, Int(count))
    }

    /// Asks the kernel whether the peer has closed, before an event reports it.
    mutating func checkHangUp() {
        var query = pollfd(fd: number, events: 0, revents: 0)
        if poll(&query, 1, 0) > 0, query.revents & Int16(POLLHUP) != 0 { didHangUp() }
    }

    mutating func didHangUp() {
        presence = .gone
        outbox.discard()
    }

    // MARK: Writing

    /// Appends reply lines. False if so much is unread that no more should be added.
    mutating func send(
        _ account: @autoclosure () -> SpoolAccount, _ write: (inout [UInt8]) -> Void
    ) -> Bool {
        isDeaf || outbox.append(account(), write)
    }

    /// Appends a part of a reply that was kept in a spool.
    mutating func send(_ spool: Spool, _ account: @autoclosure () -> SpoolAccount) {
        if !isDeaf { outbox.append(spool, account()) }
    }

    /// Appends a part that other replies share.
    mutating func send(_ shared: SharedBytes, _ account: SpoolAccount) {
        if !isDeaf { outbox.append(shared, account) }
    }

    /// Sends what the peer takes in this turn. True if it took bytes.
    mutating func flush() throws(SystemError) -> Bool {
        let before = outbox.unsentCount
        if before == 0 { return false }
        do throws(SystemError) {
            try watch.withDescriptor { socket throws(SystemError) in try outbox.flush(to: socket) }
            return outbox.unsentCount < before
        } catch {
            guard error.isPeerGone else { throw error }
            if presence == .present { presence = .deaf }
            outbox.discard()
            return false
        }
    }

    /// Closes the socket, or leaves that to the closer, because the last close of a passed file may take long.
    /// Afterwards nothing is read, and what is sent is dropped.
    mutating func close(isRestricted: Bool) {
        didHangUp()
        guard let socket = watch.takeDescriptor() else { return }
        if let closer = passage.closer, !isDrained { closer.close(socket, isRestricted: isRestricted) }
    }

    func shutDownWriting() { shutdown(number, Int32(SHUT_WR)) }
}

extension SystemError {
    /// The peer is gone, unix(7): a write fails with EPIPE, or with ECONNRESET if the peer closed without reading
    /// everything.
    fileprivate var isPeerGone: Bool { number == EPIPE || number == ECONNRESET }

    /// The peer has passed files, which is not allowed, so its connection ends.
    fileprivate var hasFiles: Bool { number == EPERM }
}

// The socket of a client: its input, its unsent output, and whether its peer is still there.
//
// An error that it throws is not the peer's fault: unsent bytes are lost, so the connection must end.
import CEpollShim
import Glibc

struct Connection: ~Copyable {
    private enum Presence {
        case present
        /// Nobody reads replies any more.
        case deaf
        /// The peer has closed both directions: no more bytes will come.
        case gone
    }

    private var watch: Watch
    /// Closes the socket if files may be passed through it; nil if the kernel refuses them.
    private let closer: Closer?
    private var presence = Presence.present
    /// Everything was read, so no file can be left in the socket.
    private var isDrained = false
    private(set) var outbox = Outbox()

    init(_ socket: consuming Descriptor, in loop: EventLoop, closer: Closer? = nil) {
        if closer != nil { shim_expect_files(socket.number) }
        watch = Watch(socket, in: loop)
        self.closer = closer
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

    /// Reads once. After a hang-up, an empty socket is at its end.
    mutating func read(
        into buffer: ReadBuffer, limit: Int, _ body: (Span<UInt8>) -> Void
    ) throws(SystemError) -> ReadOutcome {
        do throws(SystemError) {
            let refusingFiles = closer != nil
            let outcome =
                try watch.withDescriptor { socket throws(SystemError) in
                    try buffer.read(socket, limit: limit, refusingFiles: refusingFiles, body)
                } ?? .end
            if outcome == .end { isDrained = true }
            return outcome == .wouldBlock && isHungUp ? .end : outcome
        } catch {
            guard error.isPeerGone || error.hasFiles else { throw error }
            didHangUp()
            return .end
        }
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
        if let closer, !isDrained { closer.close(socket, isRestricted: isRestricted) }
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

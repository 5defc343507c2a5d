// The socket of a client: what comes from it, what has yet to go to it, and who is still at its other end.
//
// An error that it throws is not the peer's doing: what was to be sent is lost, and so the connection has to end.
import CEpollShim
import Glibc

struct Connection: ~Copyable {
    private enum Peer {
        case present
        /// Nobody reads replies any more.
        case deaf
        /// It has closed altogether: what it sent is all there is.
        case gone
    }

    private var watch: Watch
    /// Closes the socket where files may be passed through it; nil where the kernel refuses them.
    private let closer: Closer?
    private var peer = Peer.present
    /// All was read that will ever come: no file can be left in it.
    private var isDrained = false
    private(set) var outbox = Outbox()

    init(_ socket: consuming Descriptor, in loop: EventLoop, closer: Closer? = nil) {
        if closer != nil { shim_expect_files(socket.number) }
        watch = Watch(socket, in: loop)
        self.closer = closer
    }

    /// Registers it with the loop.
    mutating func start(for handler: any EventHandler) { watch.start(for: handler) }

    /// Has its handler settle at the end of this turn.
    func mark() { watch.mark() }

    var number: Int32 { watch.number }
    var isClosed: Bool { watch.isClosed }
    var isDeaf: Bool { peer != .present }
    var isHungUp: Bool { peer == .gone }

    // MARK: Reading

    /// Reads once. From one that has closed altogether nothing comes later.
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

    /// How many bytes wait to be read; nil where an end stands behind them, so that they are all there will ever be.
    func unread() -> Int? {
        if isHungUp { return nil }
        var hasEnd: Int32 = 0
        let count = shim_unread(number, &hasEnd)
        return hasEnd != 0 ? nil : max(0, Int(count))
    }

    /// Asks the kernel whether the peer has closed, before it was reported.
    mutating func checkHangUp() {
        var query = pollfd(fd: number, events: 0, revents: 0)
        if poll(&query, 1, 0) > 0, query.revents & Int16(POLLHUP) != 0 { didHangUp() }
    }

    mutating func didHangUp() {
        peer = .gone
        outbox.discard()
    }

    // MARK: Writing

    /// Adds reply lines. False where the reader is so far behind that they should not become more.
    mutating func send(
        _ account: @autoclosure () -> SpoolAccount, _ write: (inout [UInt8]) -> Void
    ) -> Bool {
        isDeaf || outbox.append(account(), write)
    }

    /// Adds a part of a reply that was kept in a spool.
    mutating func send(_ spool: Spool, _ account: @autoclosure () -> SpoolAccount) {
        if !isDeaf { outbox.append(spool, account()) }
    }

    /// Adds a part of a reply that other replies have, too.
    mutating func send(_ shared: SharedBytes, _ account: SpoolAccount) {
        if !isDeaf { outbox.append(shared, account) }
    }

    /// Sends what the peer takes in this turn. True where it took something.
    mutating func flush() throws(SystemError) -> Bool {
        let before = outbox.unsentCount
        if before == 0 { return false }
        do throws(SystemError) {
            try watch.withDescriptor { socket throws(SystemError) in try outbox.flush(to: socket) }
            return outbox.unsentCount < before
        } catch {
            guard error.isPeerGone else { throw error }
            if peer == .present { peer = .deaf }
            outbox.discard()
            return false
        }
    }

    /// Closes the socket, or leaves that to the closer: the last close of a file that was passed could wait. After that
    /// nothing is read, and what is sent is dropped.
    mutating func close(isRestricted: Bool) {
        didHangUp()
        guard let socket = watch.takeDescriptor() else { return }
        if let closer, !isDrained { closer.close(socket, isRestricted: isRestricted) }
    }

    func shutDownWriting() { shutdown(number, Int32(SHUT_WR)) }
}

extension SystemError {
    /// Nobody is at the other end, unix(7): EPIPE of a write, ECONNRESET where the peer closed without reading all.
    fileprivate var isPeerGone: Bool { number == EPIPE || number == ECONNRESET }

    /// The peer passes files, which nobody wants: it is let go of.
    fileprivate var hasFiles: Bool { number == EPERM }
}

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

    private let socket: Descriptor
    /// Closes the socket where files may be passed through it; nil where the kernel refuses them.
    private let closer: Closer?
    private var peer = Peer.present
    /// All was read that will ever come: no file can be left in it.
    private var isDrained = false
    private(set) var outbox = Outbox()

    init(_ socket: consuming Descriptor, closer: Closer? = nil) {
        if closer != nil { shim_expect_files(socket.number) }
        self.socket = socket
        self.closer = closer
    }

    var number: Int32 { socket.number }
    var isDeaf: Bool { peer != .present }
    var isHungUp: Bool { peer == .gone }

    // MARK: Reading

    /// Reads once. From one that has closed altogether nothing comes later.
    mutating func read(
        into buffer: ReadBuffer, limit: Int, _ body: (Span<UInt8>) -> Void
    ) throws(SystemError) -> ReadOutcome {
        do throws(SystemError) {
            let outcome = try buffer.read(socket.number, limit: limit, refusingFiles: closer != nil, body)
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
        var hasEnd: Int32 = 0
        let count = shim_unread(socket.number, &hasEnd)
        return hasEnd != 0 || isHungUp ? nil : max(0, Int(count))
    }

    /// Asks the kernel whether the peer has closed, before it was reported.
    mutating func checkHangUp() {
        var query = pollfd(fd: socket.number, events: 0, revents: 0)
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
            try outbox.flush(to: socket)
            return outbox.unsentCount < before
        } catch {
            guard error.isPeerGone else { throw error }
            if peer == .present { peer = .deaf }
            outbox.discard()
            return false
        }
    }

    /// Closes the socket, or leaves that to the closer: the last close of a file that was passed could wait.
    consuming func close(isRestricted: Bool) {
        if let closer, !isDrained { closer.close(socket, isRestricted: isRestricted) }
    }

    func shutDownWriting() { shutdown(socket.number, Int32(SHUT_WR)) }
}

extension SystemError {
    /// Nobody is at the other end, unix(7): EPIPE of a write, ECONNRESET where the peer closed without reading all.
    fileprivate var isPeerGone: Bool { number == EPIPE || number == ECONNRESET }

    /// The peer passes files, which nobody wants: it is let go of.
    fileprivate var hasFiles: Bool { number == EPERM }
}

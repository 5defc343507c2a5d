// The socket of a client: what comes from it, what has yet to go to it, and which of its directions are over.
import CEpollShim
import Glibc

struct Connection: ~Copyable {
    private let socket: Descriptor
    private(set) var outbox = Outbox()
    /// Nothing more will come.
    private(set) var hasReadEnd = false
    /// The last read has found that nothing more is there for now.
    private(set) var hasReadAll = false
    /// Nobody reads replies any more.
    private(set) var hasGone = false
    /// The peer has closed altogether: what it sent is all there is.
    private(set) var isHungUp = false

    init(_ socket: consuming Descriptor) { self.socket = socket }

    var number: Int32 { socket.number }

    // MARK: Reading

    /// Reads once, and returns how many bytes came.
    mutating func read(
        into buffer: ReadBuffer, limit: Int, _ body: (Span<UInt8>) -> Void
    ) -> Int {
        do throws(SystemError) {
            switch try buffer.read(socket.number, limit: limit, body) {
            case .received(let count):
                hasReadAll = false
                return count
            case .wouldBlock:
                hasReadAll = true
                if isHungUp { hasReadEnd = true }
            case .end:
                hasReadEnd = true
                hasReadAll = true
            }
        } catch {
            // ECONNRESET: the peer closed without reading what it was sent.
            didHangUp()
            hasReadEnd = true
            hasReadAll = true
        }
        return 0
    }

    /// Asks the kernel whether the peer has closed, before it was reported.
    mutating func checkHangUp() {
        var query = pollfd(fd: socket.number, events: 0, revents: 0)
        if poll(&query, 1, 0) > 0, query.revents & Int16(POLLHUP) != 0 { didHangUp() }
    }

    mutating func didHangUp() {
        isHungUp = true
        didLeave()
    }

    // MARK: Writing

    /// Adds reply lines. False where the reader is so far behind that they should not become more.
    mutating func send(_ account: SpoolAccount, _ write: (inout [UInt8]) -> Void) -> Bool {
        hasGone || outbox.append(account, write)
    }

    /// Adds a part of a reply that was kept in a spool.
    mutating func send(_ spool: Spool, _ account: SpoolAccount) {
        if !hasGone { outbox.append(spool, account) }
    }

    /// Sends what the peer takes in this turn.
    mutating func flush() {
        guard !outbox.isEmpty else { return }
        do throws(SystemError) {
            try outbox.flush(to: socket)
        } catch {
            didLeave()
        }
    }

    private mutating func didLeave() {
        hasGone = true
        outbox.discard()
    }

    func shutDownWriting() { shutdown(socket.number, Int32(SHUT_WR)) }
}

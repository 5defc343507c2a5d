// The standard input of a command that was given one: a pipe, fed as the command takes it.
import CEpollShim
import Glibc

/// Writes a spool to a child's pipe. A child that does not read, or dies, is no error.
final class InputFeed: EventHandler {
    private let loop: EventLoop
    private let spool: Spool
    private var descriptor: Descriptor?
    private var token: Token?

    init(_ spool: Spool, writing end: consuming Descriptor, loop: EventLoop) {
        self.spool = spool
        self.loop = loop
        token = loop.add(end, self)
        descriptor = consume end
    }

    func didBecomeReady(_ readiness: Readiness) {
        if readiness.contains(.failed) { return close() }
        feed()
    }

    func settle() -> Interest? { .write }

    private func feed() {
        let target = descriptor.take()
        guard let target else { return }
        let outcome = try? spool.drain(to: target, limit: ReadBuffer.size)
        descriptor = consume target
        // The end of the input is the end of the pipe.
        if outcome == nil || spool.count == 0 { close() }
    }

    /// Ends the input, whatever of it was taken.
    func close() {
        if let token { loop.remove(token) }
        token = nil
        descriptor = nil
    }
}

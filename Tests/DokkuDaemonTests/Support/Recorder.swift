// A handler that does nothing but what the test says.
import CEpollShim
import Glibc

@testable import DokkuDaemon

/// Owns a descriptor in a loop, notes what it is told, and answers with the interest that it was given.
final class Recorder: EventHandler {
    var interest: Interest?
    private(set) var seen: [Readiness] = []
    private(set) var settleCount = 0
    var onReady: (Recorder) -> Void = { _ in }
    var onSettle: (Recorder) -> Void = { _ in }
    private let loop: EventLoop
    private var descriptor: Descriptor?
    private(set) var token: Token?

    init(_ descriptor: consuming Descriptor, in loop: EventLoop, interest: Interest? = .read) {
        self.interest = interest
        self.loop = loop
        token = loop.add(descriptor, self)
        self.descriptor = consume descriptor
    }

    func didBecomeReady(_ readiness: Readiness) {
        seen.append(readiness)
        onReady(self)
    }

    func settle() -> Interest? {
        settleCount += 1
        onSettle(self)
        return interest
    }

    /// Has the loop settle it, as a handler does whose affairs have changed.
    func mark() { if let token { loop.mark(token) } }

    func forget() { seen = [] }

    var number: Int32 { descriptor?.number ?? -1 }

    /// Leaves the loop and closes.
    func close() {
        if let token { loop.remove(token) }
        token = nil
        descriptor = nil
    }

    /// Leaves the loop, and has another file stand behind its number at once: no other test's file can slip in
    /// between. Gives the number up.
    func makeWay(for other: consuming Descriptor) -> Descriptor {
        if let token { loop.remove(token) }
        token = nil
        guard let mine = descriptor.take() else { preconditionFailure("closed already") }
        let number = mine.relinquish()
        precondition(dup2(other.number, number) == number)
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        return Descriptor(owning: number)
    }

    /// Leaves the loop and keeps the descriptor.
    func leave() {
        if let token { loop.remove(token, isShared: true) }
        token = nil
    }
}

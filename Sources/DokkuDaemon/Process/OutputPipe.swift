// Our end of a pipe that a child writes to.
import CEpollShim
import DokkuProtocol
import Glibc

/// Who wants what comes out of a pipe.
protocol OutputPipeOwner: AnyObject {
    /// False while it is to stay in the pipe.
    var wantsOutput: Bool { get }
    /// Another child may hold the pipe's end, as one does from its start to its exec.
    var hasCopies: Bool { get }
    func didRead(_ bytes: Span<UInt8>, from stream: OutputStream)
    func pipeDidEnd()
}

/// Reads a pipe until its last writer is gone, and reports what arrives.
final class OutputPipe: EventHandler {
    /// A read that brought this much says that the child is talkative.
    private static let largeRead = 64 * 1024
    private static let grownSize = 1024 * 1024

    let stream: OutputStream
    private unowned let owner: any OutputPipeOwner
    private let loop: EventLoop
    private var descriptor: Descriptor?
    private var token: Token?
    private var isGrown = false

    init(
        _ stream: OutputStream, reading end: consuming Descriptor, owner: any OutputPipeOwner, loop: EventLoop
    ) {
        self.stream = stream
        self.owner = owner
        self.loop = loop
        token = loop.add(end, self)
        descriptor = consume end
    }

    /// True when the last writer has closed its end, or the pipe was handed over.
    var hasEnded: Bool { token == nil }

    func didBecomeReady(_ readiness: Readiness) {
        readOnce()
        if hasEnded { owner.pipeDidEnd() }
    }

    /// A pipe that is not to be read is not watched: a hang-up would be reported without end.
    func settle() -> Interest? { owner.wantsOutput ? .read : nil }

    /// Has the loop ask again whether output is wanted.
    func reconsider() { if let token { loop.mark(token) } }

    /// Reads what a child has left behind at its exit, at most what a pipe can hold. Nobody is asked whether they
    /// want it: there is no other time.
    func readRemainder() {
        var rest = Self.grownSize
        while !hasEnded, rest > 0 {
            let count = readOnce()
            if count == 0 { return }
            rest -= count
        }
    }

    @discardableResult
    private func readOnce() -> Int {
        guard descriptor != nil else { return 0 }
        let outcome: ReadOutcome
        do throws(SystemError) {
            outcome = try read()
        } catch {
            outcome = .end
        }
        switch outcome {
        case .received(let count):
            if count >= Self.largeRead, !isGrown { grow() }
            return count
        case .wouldBlock:
            return 0
        case .end:
            close()
            return 0
        }
    }

    private func read() throws(SystemError) -> ReadOutcome {
        guard let number = descriptor?.number else { return .end }
        return try loop.buffer.read(number) { owner.didRead($0, from: stream) }
    }

    /// A larger pipe costs fewer switches between a talkative child and us, pipe(7).
    private func grow() {
        isGrown = true
        if let number = descriptor?.number { _ = shim_set_pipe_size(number, Int32(Self.grownSize)) }
    }

    private func close() {
        if let token { loop.remove(token, isShared: owner.hasCopies) }
        token = nil
        descriptor = nil
    }

    /// Gives the pipe up while somebody still writes to it.
    func handOver(to drain: PipeDrain) {
        if let token { loop.remove(token, isShared: true) }
        token = nil
        if let pipe = descriptor.take() { drain.adopt(pipe) }
    }
}

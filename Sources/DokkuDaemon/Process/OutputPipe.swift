// The daemon's end of a pipe that a child writes to.
import CEpollShim
import DokkuProtocol
import Glibc

/// Receives what comes out of a pipe.
protocol OutputPipeOwner: AnyObject {
    /// False while output must stay in the pipe.
    var wantsOutput: Bool { get }
    /// Whether another child may hold the pipe's end, as each child does until its exec.
    var hasCopies: Bool { get }
    /// Whether the work with each byte is done several times, so that one read must not bring many.
    var isShared: Bool { get }
    func didRead(_ bytes: Span<UInt8>, from stream: OutputStream)
    func pipeDidEnd()
}

/// Reads a pipe until its last writer is gone, and reports what arrives.
final class OutputPipe: EventHandler {
    /// A read of this size shows that the child writes much.
    private static let largeRead = 64 * 1024
    private static let grownSize = 1024 * 1024

    let stream: OutputStream
    private unowned let owner: any OutputPipeOwner
    private let loop: EventLoop
    private var watch: Watch
    private var isGrown = false

    init(
        _ stream: OutputStream, reading end: consuming Descriptor, owner: any OutputPipeOwner, loop: EventLoop
    ) {
        self.stream = stream
        self.owner = owner
        self.loop = loop
        watch = Watch(end, in: loop)
        watch.start(for: self)
    }

    /// True if the last writer has closed its end, or if the pipe was handed over.
    var hasEnded: Bool { watch.isClosed }

    func didBecomeReady(_ readiness: Readiness) {
        readOnce()
        if hasEnded { owner.pipeDidEnd() }
    }

    /// A pipe that must not be read is not watched, because a hang-up would be reported without end.
    func settle() -> Interest? { owner.wantsOutput ? .read : nil }

    /// Makes the loop ask again whether output is wanted.
    func reconsider() { watch.mark() }

    /// Reads what a child has left in the pipe at its exit, at most what a pipe can hold. This does not depend on
    /// `wantsOutput`: there is no later time to read it.
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
        switch read() {
        case .received(let count):
            if count >= Self.largeRead, !isGrown, !owner.isShared { grow() }
            return count
        case .wouldBlock:
            return 0
        case .end:
            close()
            return 0
        }
    }

    private func read() -> ReadOutcome {
        do throws(SystemError) {
            return try watch.withDescriptor { descriptor throws(SystemError) in
                try loop.buffer.read(descriptor) { owner.didRead($0, from: stream) }
            } ?? .end
        } catch {
            return .end
        }
    }

    /// With a larger pipe, a child that writes much and the daemon switch less often, pipe(7).
    private func grow() {
        isGrown = true
        watch.withDescriptor { _ = shim_set_pipe_size($0.number, Int32(Self.grownSize)) }
    }

    private func close() { watch.close(isShared: owner.hasCopies) }

    /// Gives up a pipe that another process may still write to.
    func handOver(to drain: PipeDrain) {
        if let pipe = watch.takeDescriptor() { drain.adopt(pipe) }
    }
}

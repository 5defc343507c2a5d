// Pipes whose command is over while a process it left behind still writes: read and thrown away, so that the
// process gets no SIGPIPE and nobody waits for it.

/// Empties pipes until their last writer is gone. Beyond the limit the oldest is closed.
final class PipeDrain {
    static let limit = 256

    private let loop: EventLoop
    private var pipes: [DrainedPipe] = []

    init(loop: EventLoop) { self.loop = loop }

    func adopt(_ pipe: consuming Descriptor) {
        if pipes.count >= Self.limit { pipes.removeFirst().close() }
        pipes.append(DrainedPipe(pipe, loop: loop) { [unowned self] in didEnd($0) })
    }

    var isEmpty: Bool { pipes.isEmpty }

    private func didEnd(_ pipe: DrainedPipe) {
        pipe.close()
        pipes.removeAll { $0 === pipe }
    }
}

private final class DrainedPipe: EventHandler {
    private let loop: EventLoop
    private var descriptor: Descriptor?
    private var token: Token?
    private let didEnd: (DrainedPipe) -> Void

    init(_ pipe: consuming Descriptor, loop: EventLoop, didEnd: @escaping (DrainedPipe) -> Void) {
        self.loop = loop
        self.didEnd = didEnd
        token = loop.add(pipe, self)
        descriptor = consume pipe
    }

    func didBecomeReady(_ readiness: Readiness) {
        guard let number = descriptor?.number else { return }
        let outcome = try? loop.buffer.read(number) { _ in }
        if outcome == nil || outcome == .end { didEnd(self) }
    }

    func settle() -> Interest? { .read }

    func close() {
        if let token { loop.remove(token) }
        token = nil
        descriptor = nil
    }
}

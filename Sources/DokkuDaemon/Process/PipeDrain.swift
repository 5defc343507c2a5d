// Pipes of commands that have ended, if a process that they left behind still writes. They are read and the bytes
// discarded, so that the process gets no SIGPIPE and nobody waits for it.

/// Empties pipes until their last writer is gone. The limit saves descriptors: beyond it a new pipe is closed at
/// once. Only processes of its own command suffer from that, not those of other clients.
final class PipeDrain {
    private let loop: EventLoop
    private let limit: Int
    private var pipes: [DrainedPipe] = []

    init(loop: EventLoop, limit: Int) {
        self.loop = loop
        self.limit = limit
    }

    func adopt(_ pipe: consuming Descriptor) {
        guard pipes.count < limit else { return }
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
    private var watch: Watch
    private let didEnd: (DrainedPipe) -> Void

    init(_ pipe: consuming Descriptor, loop: EventLoop, didEnd: @escaping (DrainedPipe) -> Void) {
        self.loop = loop
        self.didEnd = didEnd
        watch = Watch(pipe, in: loop)
        watch.start(for: self)
    }

    func didBecomeReady(_ readiness: Readiness) {
        let outcome = try? watch.withDescriptor { descriptor throws(SystemError) in
            try loop.buffer.read(descriptor) { _ in }
        }
        if outcome == nil || outcome == .end { didEnd(self) }
    }

    func settle() -> Interest? { .read }

    func close() { watch.close() }
}

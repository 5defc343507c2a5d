// A wait that starts again with each sign of life.

/// Reports when nothing has happened for a given time. `renew` costs no timer: a timer that fires too early is set
/// again.
final class Patience {
    private let time: Duration
    private let loop: EventLoop
    private let didEnd: () -> Void
    private var renewedAt: Instant
    private var timer: Timer?

    /// Starts the wait, which ends with its owner.
    init(_ time: Duration, loop: EventLoop, didEnd: @escaping () -> Void) {
        self.time = time
        self.loop = loop
        self.didEnd = didEnd
        renewedAt = .now
        wait(time)
    }

    deinit { timer?.cancel() }

    func renew() { renewedAt = loop.now }

    private func wait(_ rest: Duration) {
        timer = loop.timers.schedule(after: rest) { [weak self] in self?.check() }
    }

    private func check() {
        let rest = renewedAt + time - .now
        if rest > .zero { wait(rest) } else { didEnd() }
    }
}

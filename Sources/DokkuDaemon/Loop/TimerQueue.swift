// The loop's timers, in the order of their deadlines.

/// A timer that fires once, unless it is cancelled.
final class Timer {
    fileprivate let deadline: Instant
    fileprivate var action: (() -> Void)?
    private weak var queue: TimerQueue?

    fileprivate init(deadline: Instant, queue: TimerQueue, action: @escaping () -> Void) {
        self.deadline = deadline
        self.queue = queue
        self.action = action
    }

    func cancel() {
        guard action != nil else { return }
        action = nil
        queue?.didCancel()
    }
}

final class TimerQueue {
    /// Latest first: the next one is taken from the end.
    private var timers: [Timer] = []
    private var cancelled = 0

    func schedule(after delay: Duration, _ action: @escaping () -> Void) -> Timer {
        let timer = Timer(deadline: .now + delay, queue: self, action: action)
        var low = 0
        var high = timers.count
        while low < high {
            let middle = (low + high) / 2
            if timers[middle].deadline > timer.deadline { low = middle + 1 } else { high = middle }
        }
        timers.insert(timer, at: low)
        return timer
    }

    /// The timeout for epoll_wait(2), rounded up, so that no wake-up is too early; -1 if there is no timer.
    func millisecondsToNext(limit: Duration?) -> Int32 {
        while let last = timers.last, last.action == nil { timers.removeLast() }
        var wait = limit
        if let next = timers.last {
            let rest = max(next.deadline - .now, .zero)
            wait = min(wait ?? rest, rest)
        }
        guard let wait else { return -1 }
        return Int32(clamping: (wait.wholeNanoseconds + 999_999) / 1_000_000)
    }

    /// A cancelled timer must not stay until its deadline.
    fileprivate func didCancel() {
        cancelled += 1
        guard cancelled > 16, cancelled > timers.count / 2 else { return }
        timers.removeAll { $0.action == nil }
        cancelled = 0
    }

    func fire(until now: Instant) {
        while let next = timers.last, next.deadline <= now || next.action == nil {
            timers.removeLast()
            let action = next.action
            next.action = nil
            action?()
        }
    }
}

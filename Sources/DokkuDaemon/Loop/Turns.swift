// Work on the disk that is done step by step, so that nobody waits long for the loop.

/// In each turn of the loop, steps are taken for a few milliseconds, in the order in which they came. So it does not
/// matter how many have something to do at once.
final class Turns {
    private enum Stage {
        case resting
        /// Steps wait for the timer.
        case planned(Timer)
        case stepping
    }

    /// How long steps are taken in one turn of the loop; the last one may take longer.
    private static let share = Duration.milliseconds(4)

    private let timers: TimerQueue
    private var steps: [() -> Void] = []
    private var stage = Stage.resting

    init(timers: TimerQueue) { self.timers = timers }

    deinit { if case .planned(let timer) = stage { timer.cancel() } }

    /// Takes a step, after all that wait already. A step is short: it reads or writes some 100 KiB, or commits once.
    func add(_ step: @escaping () -> Void) {
        steps.append(step)
        if case .resting = stage { plan() }
    }

    private func plan() {
        stage = .planned(timers.schedule(after: .zero) { [weak self] in self?.run() })
    }

    private func run() {
        stage = .stepping
        let end = Instant.now + Self.share
        var count = 0
        // A step may add others.
        while count < steps.count, count == 0 || .now < end {
            let step = steps[count]
            count += 1
            step()
        }
        steps.removeFirst(count)
        if steps.isEmpty { stage = .resting } else { plan() }
    }
}

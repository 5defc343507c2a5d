// When results are forgotten: after their time, and at the start those that are too many because the limits were lowered.
import Glibc

/// It forgets step by step. A step that fails, because the disk is full, is tried again later.
///
/// |              | resting  | waiting  | stepping             |
/// |--------------|----------|----------|----------------------|
/// | jobs changed | waiting  | waiting  | –                    |
/// | time is over | –        | stepping | –                    |
/// | its turn     | –        | –        | stepping, or waiting |
final class Retention {
    /// Jobs that one commit forgets.
    private static let stepCount = 64
    private static let retryPause = Duration.seconds(1)

    private enum Stage {
        /// Nothing has ended.
        case resting
        case waiting(Timer)
        /// In the line of those who need the disk.
        case stepping
    }

    private let shelf: JobShelf
    private let keep: Duration
    private let timers: TimerQueue
    private let turns: Turns
    /// What was too much at the start.
    private var surplus: [UInt64]
    private var stage = Stage.resting

    /// Begins with what is too much now.
    init(_ shelf: JobShelf, _ limits: KeepLimits, timers: TimerQueue, turns: Turns) {
        self.shelf = shelf
        keep = limits.keep
        self.timers = timers
        self.turns = turns
        surplus = shelf.surplus(within: limits)
        jobsDidChange()
    }

    deinit { if case .waiting(let timer) = stage { timer.cancel() } }

    /// Call it when a job has ended or was forgotten.
    func jobsDidChange() {
        switch stage {
        case .stepping: return
        case .waiting(let timer): timer.cancel()
        case .resting: break
        }
        stage = pause.map(wait) ?? .resting
    }

    /// How long it has nothing to do; nil if nothing has ended.
    private var pause: Duration? {
        if !surplus.isEmpty { return .zero }
        guard let first = shelf.firstEnd else { return nil }
        // If the clock was set back, a result is kept up to this time longer.
        let age = Duration.seconds(max(0, time(nil) - first))
        return max(keep - age, .seconds(1))
    }

    private func wait(_ pause: Duration) -> Stage {
        .waiting(timers.schedule(after: pause) { [weak self] in self?.awaitTurn() })
    }

    private func awaitTurn() {
        stage = .stepping
        turns.add { [weak self] in self?.step() }
    }

    private func step() {
        shelf.correctEnds()
        let due = surplus + shelf.ended(until: time(nil) - time_t(keep.components.seconds))
        let step = due.prefix(Self.stepCount)
        do throws(DatabaseError) {
            try shelf.forget(Array(step))
            surplus.removeFirst(min(step.count, surplus.count))
            if step.count < due.count { return awaitTurn() }
            stage = .resting
            jobsDidChange()
        } catch {
            stage = wait(Self.retryPause)
        }
    }
}

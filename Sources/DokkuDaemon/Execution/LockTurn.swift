// dokku's lock, which the daemon holds from the start of its first changing command to the end of its last one.
//
// flock(2) reports no event, so a lock that somebody else holds is tried again and again. It has no order either: if
// the daemon took the lock again at once, a script that waits for it would never have its turn. So while somebody
// waits, no further command enters, and after the last one has left, the daemon waits a moment before it tries again.
import Glibc

/// |          | free            | waiting       | due             | held                              |
/// |----------|-----------------|---------------|-----------------|-----------------------------------|
/// | enter    | held or waiting | –             | held or waiting | held, unless somebody waits for it |
/// | timer    | –               | due           | –               | –                                 |
/// | leave    | –               | –             | –               | held, free, or waiting             |
/// | give up  | –               | free          | free            | –                                 |
final class LockTurn {
    private static let interval = Duration.milliseconds(100)
    /// The number of attempts between two searches for the holder.
    private static let attemptsToLook = 10
    /// The number of attempts before a complaint: 10 s.
    private static let attemptsToComplain = 100

    /// Looking takes one part in so many of the time at most.
    private static let lookShare = 20

    private enum State {
        case free
        /// The timer is for the next attempt.
        case waiting(LockWait, attempts: Int, Timer)
        /// It is time for the next attempt.
        case due(LockWait, attempts: Int)
        case held(commands: Int)
    }

    private let lock: CommandLock
    private let timers: TimerQueue
    private let complain: (String) -> Void
    private var state = State.free
    /// When it last looked for somebody who waits, how long that took, and who waited.
    private var lastLook: (end: Instant, cost: Duration, waiter: LockHolder?) = (
        Instant(nanoseconds: 0), .zero, nil
    )

    /// `complain` is called once for each long wait.
    init(_ lock: CommandLock, timers: TimerQueue, complain: @escaping (String) -> Void) {
        self.lock = lock
        self.timers = timers
        self.complain = complain
    }

    /// For the child that runs under the lock.
    var number: Int32 { lock.number }

    /// The wait for the lock, if there is one.
    var wait: LockWait? {
        switch state {
        case .waiting(let wait, _, _), .due(let wait, _): wait
        case .free, .held: nil
        }
    }

    /// Holds the lock for one more command. If it cannot: `retry` is called when it is time to try again, or the last
    /// command has to leave first.
    func enter(orLater retry: @escaping () -> Void) throws(SystemError) -> Bool {
        switch state {
        case .waiting: return false
        case .held(let commands):
            if waiter(atMostEvery: .zero) != nil { return false }
            state = .held(commands: commands + 1)
            return true
        case .free, .due: return try acquire(retry)
        }
    }

    private func acquire(_ retry: @escaping () -> Void) throws(SystemError) -> Bool {
        do throws(SystemError) {
            if try lock.acquire() {
                state = .held(commands: 1)
                return true
            }
        } catch {
            state = .free
            throw error
        }
        let (wait, attempts) = noticed()
        pause(wait, attempts, retry)
        return false
    }

    private func pause(_ wait: LockWait, _ attempts: Int, _ retry: @escaping () -> Void) {
        let timer = timers.schedule(after: Self.interval) { [unowned self] in
            state = .due(wait, attempts: attempts)
            retry()
        }
        state = .waiting(wait, attempts: attempts, timer)
    }

    /// What is known about the wait after one more failed attempt.
    private func noticed() -> (wait: LockWait, attempts: Int) {
        guard case .due(var wait, let attempts) = state else {
            return (LockWait(path: lock.path, since: time(nil), holder: lock.holder()), 1)
        }
        if attempts % Self.attemptsToLook == 0 { wait.holder = lock.holder() }
        if attempts + 1 == Self.attemptsToComplain { complain("the next command waits for \(wait)") }
        return (wait, attempts + 1)
    }

    /// Nobody waits for the lock any more.
    func giveUp() {
        switch state {
        case .waiting(_, _, let timer):
            timer.cancel()
            state = .free
        case .due: state = .free
        case .free, .held: break
        }
    }

    /// A command that entered has ended. The last one releases the lock. `retry` is given if another command wants it:
    /// if then somebody outside waits, he has it first.
    func leave(next retry: (() -> Void)?) {
        guard case .held(let commands) = state else { return }
        if commands > 1 {
            state = .held(commands: commands - 1)
            return
        }
        let waiter = retry == nil ? nil : waiter(atMostEvery: Self.interval)
        lock.release()
        state = .free
        if let waiter, let retry {
            pause(LockWait(path: lock.path, since: time(nil), holder: waiter), 0, retry)
        }
    }

    /// Somebody outside who waits for the lock. Where many locks make the list of them long, it looks less often.
    private func waiter(atMostEvery interval: Duration) -> LockHolder? {
        let begin = Instant.now
        let pause = lastLook.waiter == nil ? interval : .zero
        if begin - lastLook.end >= max(pause, lastLook.cost * Self.lookShare) {
            lastLook.waiter = lock.waiter()
            lastLook.end = .now
            lastLook.cost = lastLook.end - begin
        }
        return lastLook.waiter
    }
}

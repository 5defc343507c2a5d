// The wait for dokku's lock while another process holds it.
import Glibc

/// Takes the lock for the next command. If that fails, it tries again and again, because flock(2) reports no event.
final class LockTurn {
    private static let interval = Duration.milliseconds(100)
    /// The number of attempts between two searches for the holder.
    private static let attemptsToLook = 10
    /// The number of attempts before a complaint: 10 s.
    private static let attemptsToComplain = 100

    private enum State {
        /// The lock is held, or nobody wants it.
        case settled
        /// The timer is for the next attempt.
        case waiting(LockWait, attempts: Int, Timer)
    }

    private let lock: CommandLock
    private let timers: TimerQueue
    private let complain: (String) -> Void
    private var state = State.settled

    /// `complain` is called once for each long wait.
    init(_ lock: CommandLock, timers: TimerQueue, complain: @escaping (String) -> Void) {
        self.lock = lock
        self.timers = timers
        self.complain = complain
    }

    /// For the child that runs under the lock.
    var number: Int32 { lock.number }

    /// The wait for the lock, if there is one.
    var wait: LockWait? { if case .waiting(let wait, _, _) = state { wait } else { nil } }

    /// True if the lock was free. Otherwise `retry` is called when it is time to try again.
    func acquire(orLater retry: @escaping () -> Void) throws(SystemError) -> Bool {
        if try lock.acquire() {
            giveUp()
            return true
        }
        let (wait, attempts) = noticed()
        state = .waiting(wait, attempts: attempts, timers.schedule(after: Self.interval, retry))
        return false
    }

    /// What is known about the wait after one more failed attempt.
    private func noticed() -> (wait: LockWait, attempts: Int) {
        guard case .waiting(var wait, let attempts, _) = state else {
            return (LockWait(path: lock.path, since: time(nil), holder: lock.holder()), 1)
        }
        if attempts % Self.attemptsToLook == 0 { wait.holder = lock.holder() }
        if attempts + 1 == Self.attemptsToComplain { complain("the next command waits for \(wait)") }
        return (wait, attempts + 1)
    }

    /// Nobody waits for the lock any more.
    func giveUp() {
        if case .waiting(_, _, let timer) = state { timer.cancel() }
        state = .settled
    }

    func release() { lock.release() }
}

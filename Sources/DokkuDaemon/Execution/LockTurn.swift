// The wait for dokku's lock, while somebody else has it.
import Glibc

/// Takes the lock for the next command, and tries again as long as that fails: flock(2) has no event to wait for.
final class LockTurn {
    private static let interval = Duration.milliseconds(100)
    /// How many attempts apart it is asked who holds it.
    private static let attemptsToLook = 10
    /// After how many the wait is complained of: 10 s.
    private static let attemptsToComplain = 100

    private enum State {
        /// It is held, or nobody wants it.
        case settled
        /// The timer is that of the next attempt.
        case waiting(LockWait, attempts: Int, Timer)
    }

    private let lock: CommandLock
    private let timers: TimerQueue
    private let complain: (String) -> Void
    private var state = State.settled

    /// `complain` is told once of each wait that is long.
    init(_ lock: CommandLock, timers: TimerQueue, complain: @escaping (String) -> Void) {
        self.lock = lock
        self.timers = timers
        self.complain = complain
    }

    /// For the child that runs under it.
    var number: Int32 { lock.number }

    /// For whom it is waited, if it is.
    var wait: LockWait? { if case .waiting(let wait, _, _) = state { wait } else { nil } }

    /// True if it could be had. Otherwise `retry` is called when it is time to try again.
    func acquire(orLater retry: @escaping () -> Void) throws(SystemError) -> Bool {
        if try lock.acquire() {
            giveUp()
            return true
        }
        let (wait, attempts) = noticed()
        state = .waiting(wait, attempts: attempts, timers.schedule(after: Self.interval, retry))
        return false
    }

    /// What is known of the wait after one more attempt in vain.
    private func noticed() -> (wait: LockWait, attempts: Int) {
        guard case .waiting(var wait, let attempts, _) = state else {
            return (LockWait(path: lock.path, since: time(nil), holder: lock.holder()), 1)
        }
        if attempts % Self.attemptsToLook == 0 { wait.holder = lock.holder() }
        if attempts + 1 == Self.attemptsToComplain { complain("the next command waits for \(wait)") }
        return (wait, attempts + 1)
    }

    /// Nobody waits for it any more.
    func giveUp() {
        if case .waiting(_, _, let timer) = state { timer.cancel() }
        state = .settled
    }

    func release() { lock.release() }
}

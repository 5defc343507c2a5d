// Runs the queue's commands one at a time, each under the lock.
import Glibc

final class Worker: JobSupervisor {
    /// How often a lock that somebody else holds is tried: flock(2) has no event to wait for.
    private static let lockInterval = Duration.milliseconds(100)
    /// How many attempts apart it is asked who holds it.
    private static let attemptsToLook = 10
    /// After how many the wait is complained of: 10 s.
    private static let attemptsToComplain = 100
    /// Commands that are over but whose output is still awaited; beyond it the next one waits.
    private static let drainingLimit = 64

    private let queue: CommandQueue
    private let lock: CommandLock
    private let context: RunContext
    private let complain: (String) -> Void
    private var lockTimer: Timer?
    private var attempts = 0
    /// While the next command waits for a lock that somebody else has.
    private(set) var lockWait: LockWait?
    private var isStopping = false
    private var isStarting = false
    var willStart: (Job) -> Void = { _ in }
    var didEnd: (Job) -> Void = { _ in }
    var lockWaitDidChange: () -> Void = {}
    /// Started, and not yet at the end of its output.
    private(set) var started: [Job] = []
    /// The one whose process runs.
    private(set) var running: Job?

    init(queue: CommandQueue, lock: CommandLock, context: RunContext, complain: @escaping (String) -> Void) {
        self.queue = queue
        self.lock = lock
        self.context = context
        self.complain = complain
    }

    var isIdle: Bool { started.isEmpty }

    /// Starts the next command if none runs and the lock can be had. One that cannot be started is over at once,
    /// and the one behind it has its turn.
    func startNext() {
        guard !isStarting else { return }
        isStarting = true
        defer {
            isStarting = false
            if lockTimer == nil { endLockWait() }
        }
        while running == nil, lockTimer == nil, !isStopping, started.count < Self.drainingLimit,
            let job = queue.first
        {
            do throws(SystemError) {
                guard try lock.acquire() else { return waitForLock() }
                start(job)
            } catch {
                queue.remove(job)
                job.interrupt(Refusal(code: .spawnFailed, text: "The command could not be locked: \(error)"))
                didEnd(job)
            }
        }
    }

    private func start(_ job: Job) {
        queue.remove(job)
        running = job
        started.append(job)
        willStart(job)
        job.start(lock: lock.number, context: context, supervisor: self)
    }

    private func waitForLock() {
        noticeLockWait()
        lockTimer = context.loop.timers.schedule(after: Self.lockInterval) { [unowned self] in
            lockTimer = nil
            startNext()
        }
    }

    private func noticeLockWait() {
        if attempts % Self.attemptsToLook == 0 {
            let before = lockWait
            let since = before?.since ?? time(nil)
            lockWait = LockWait(path: lock.path, since: since, holder: lock.holder())
            if lockWait != before { lockWaitDidChange() }
        }
        attempts += 1
        if attempts == Self.attemptsToComplain, let lockWait {
            complain("the next command waits for \(lockWait)")
        }
    }

    private func endLockWait() {
        guard lockWait != nil else { return }
        attempts = 0
        lockWait = nil
        lockWaitDidChange()
    }

    func jobDidExit(_ job: Job) {
        guard running === job else { return }
        running = nil
        lock.release()
        startNext()
    }

    func jobDidEnd(_ job: Job) {
        started.removeAll { $0 === job }
        didEnd(job)
        startNext()
    }

    /// Starts nothing more; what runs may go on.
    func stop() {
        isStopping = true
        lockTimer?.cancel()
        lockTimer = nil
        endLockWait()
    }
}

// Runs the queue's commands one at a time, each under the lock.
import Glibc

final class Worker: JobSupervisor {
    /// How often a lock that somebody else holds is tried: flock(2) has no event to wait for.
    private static let lockInterval = Duration.milliseconds(100)
    /// Commands that are over but whose output is still awaited; beyond it the next one waits.
    private static let drainingLimit = 64

    private let queue: CommandQueue
    private let lock: CommandLock
    private let context: RunContext
    private var lockTimer: Timer?
    private var isStopping = false
    private var isStarting = false
    var willStart: (Job) -> Void = { _ in }
    var didEnd: (Job) -> Void = { _ in }
    /// Started, and not yet at the end of its output.
    private(set) var started: [Job] = []
    /// The one whose process runs.
    private(set) var running: Job?

    init(queue: CommandQueue, lock: CommandLock, context: RunContext) {
        self.queue = queue
        self.lock = lock
        self.context = context
    }

    var isIdle: Bool { started.isEmpty }

    /// Starts the next command if none runs and the lock can be had. One that cannot be started is over at once,
    /// and the one behind it has its turn.
    func startNext() {
        guard !isStarting else { return }
        isStarting = true
        defer { isStarting = false }
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
        lockTimer = context.loop.timers.schedule(after: Self.lockInterval) { [unowned self] in
            lockTimer = nil
            startNext()
        }
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
    }
}

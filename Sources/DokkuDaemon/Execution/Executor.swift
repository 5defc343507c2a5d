// Where commands go: into the queue, or beside it. Numbers them, logs them, finds them again.
import Glibc

final class Executor {
    /// How much may be accepted.
    struct Limits {
        /// Endless commands; likewise what else runs beside the queue, each kind by itself.
        var follow: Int
        /// Bytes of one command's output.
        var output: Int
        /// For commands in the queue that name none of their own; nil for none.
        var timeout: Duration?
    }

    private let limits: Limits
    private let records: CommandRecords
    private let queue = CommandQueue()
    private let worker: Worker
    private let side: SideRunner
    private var lastNumber: UInt64 = 0
    private(set) var isStopping = false
    private(set) var runCount = 0
    private(set) var failureCount = 0
    /// Another number whenever other commands wait or run, or wait for something else.
    private(set) var revision = 0
    /// Called when a command was accepted or has ended.
    var didChange: () -> Void = {}
    /// Called when a command has ended, after its reply was made.
    var didEnd: (Job) -> Void = { _ in }

    init(
        limits: Limits, lock: CommandLock, context: RunContext, records: CommandRecords,
        complain: @escaping (String) -> Void = { _ in }
    ) {
        self.limits = limits
        self.records = records
        worker = Worker(queue: queue, lock: lock, context: context, complain: complain)
        side = SideRunner(context: context)
        worker.willStart = { [unowned self] in willStart($0) }
        side.willStart = { [unowned self] in willStart($0) }
        worker.didEnd = { [unowned self] in finish($0) }
        side.didEnd = { [unowned self] in finish($0) }
        worker.lockWaitDidChange = { [unowned self] in
            revision += 1
            didChange()
        }
    }

    /// Takes a command: from here on it gets one end, told to its observer. `accepted` is called before it can
    /// start.
    @discardableResult
    func submit(
        _ command: Command, from submitter: Submitter, peer: Peer, observer: any JobObserver
    ) throws(Refusal) -> Job {
        if isStopping { throw .shuttingDown }
        var command = command
        if command.lane.waitsInQueue, command.timeout == nil { command.timeout = limits.timeout }
        try checkRoom(for: command.lane, isRestricted: peer.isRestricted)
        let job = Job(
            number: lastNumber + 1, command: command, peer: peer, observer: observer,
            outputLimit: limits.output, excerptLimit: records.excerptLimit)
        if command.lane.waitsInQueue { try queue.append(job, from: submitter) }
        lastNumber += 1
        revision += 1
        records.accepted(job)
        observer.jobWasAccepted(job)
        didChange()
        if command.lane.waitsInQueue {
            worker.startNext()
        } else if job.state == .waiting {
            side.start(job)
        }
        return job
    }

    private func willStart(_ job: Job) {
        revision += 1
        records.willStart(job)
    }

    /// What runs beside the queue is counted by its kind: following logs does not keep anybody from cancelling.
    private func checkRoom(for lane: Lane, isRestricted: Bool) throws(Refusal) {
        if lane.waitsInQueue { return }
        let share = ListenerOptions.restrictedShare(of: limits.follow)
        if side.count(in: lane) >= limits.follow {
            throw Refusal(code: .queueFull, text: "\(limits.follow) \(lane.noun) run already")
        }
        if isRestricted, side.count(in: lane, isRestricted: true) >= share {
            throw Refusal(code: .queueFull, text: "\(share) \(lane.noun) of sockets with this rule run already")
        }
    }

    private func finish(_ job: Job) {
        revision += 1
        if job.startedAt != nil { runCount += 1 }
        if job.isFailure { failureCount += 1 }
        records.ended(job)
        didChange()
        didEnd(job)
    }

    /// The place of a waiting command: 1 is the next to start.
    func position(of job: Job) -> Int { queue.position(of: job) }

    var waiting: [Job] { queue.waiting }
    var waitingCount: Int { queue.count }
    /// While the next command waits for a lock that somebody else has.
    var lockWait: LockWait? { worker.lockWait }
    var running: [Job] { worker.started + side.started }

    func job(number: UInt64) -> Job? {
        running.first { $0.number == number } ?? waiting.first { $0.number == number }
    }

    /// Ends a command that waits or runs.
    func interrupt(_ job: Job, _ reason: Refusal) {
        guard job.state == .waiting else { return job.interrupt(reason) }
        queue.remove(job)
        job.interrupt(reason)
        finish(job)
    }

    var isIdle: Bool { worker.isIdle && side.isIdle }

    /// Accepts and starts nothing more; what waits is answered, what would never end is ended, what runs goes on.
    func stop() {
        isStopping = true
        worker.stop()
        for job in queue.waiting { interrupt(job, .shuttingDown) }
        for job in side.started where job.command.lane.neverEnds { job.interrupt(.endedByStop) }
    }

    /// Ends what still runs.
    func terminateRunning() {
        for job in running { job.interrupt(.endedByStop) }
    }
}

/// Runs what does not wait in the queue and takes no lock.
final class SideRunner: JobSupervisor {
    private let context: RunContext
    private(set) var started: [Job] = []
    var willStart: (Job) -> Void = { _ in }
    var didEnd: (Job) -> Void = { _ in }

    init(context: RunContext) { self.context = context }

    var isIdle: Bool { started.isEmpty }

    func count(in lane: Lane) -> Int { started.count { $0.command.lane == lane } }

    func count(in lane: Lane, isRestricted: Bool) -> Int {
        started.count { $0.command.lane == lane && $0.peer.isRestricted == isRestricted }
    }

    func start(_ job: Job) {
        started.append(job)
        willStart(job)
        job.start(lock: -1, context: context, supervisor: self)
    }

    func jobDidExit(_ job: Job) {}

    func jobDidEnd(_ job: Job) {
        started.removeAll { $0 === job }
        didEnd(job)
    }
}

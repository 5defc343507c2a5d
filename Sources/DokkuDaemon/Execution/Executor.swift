// Runs commands: each gets a number and a log line, starts in its turn under the lock or at once beside the queue,
// and ends once.
import DokkuProtocol

/// The owner of the executor.
protocol ExecutorOwner: AnyObject {
    /// A command was accepted or has ended, or the next one waits for something else.
    func executorDidChange()
    /// A command has ended, after its reply was made.
    func executorDidEnd(_ job: Job)
}

final class Executor {
    /// How much is accepted.
    struct Limits {
        /// Endless commands. The same limit applies to each other kind of command beside the queue.
        var follow: Int
        /// Bytes of one command's output.
        var output: Int
        /// For queued commands without a timeout of their own; nil for no timeout.
        var timeout: Duration?
    }

    /// Commands that have exited but whose output has not ended. Beyond this number the next command waits.
    private static let drainingLimit = 64

    /// Which of the commands that need the lock has its turn.
    private enum Turn {
        case free
        /// The next command is being started.
        case starting
        /// The next command waits, because another process holds the lock.
        case waitingForLock
        case taken(Audience)
    }

    private let limits: Limits
    private let records: CommandRecords
    private let context: RunContext
    private let lock: LockTurn
    private let queue = CommandQueue()
    private var turn = Turn.free
    /// Started jobs whose output has not ended. Those of the queue come first.
    private var started: (fromQueue: [Job], beside: [Job]) = ([], [])
    private var lastNumber: UInt64 = 0
    private(set) var isStopping = false
    private(set) var runCount = 0
    private(set) var failureCount = 0
    /// Changes when other commands wait or run, or wait for something else.
    private(set) var revision = 0
    /// Nil before `start`.
    private weak var owner: (any ExecutorOwner)?

    init(
        limits: Limits, lock: CommandLock, context: RunContext, records: CommandRecords,
        complain: @escaping (String) -> Void = { _ in }
    ) {
        self.limits = limits
        self.records = records
        self.context = context
        self.lock = LockTurn(lock, timers: context.loop.timers, complain: complain)
    }

    /// From now on `owner` is told what happens.
    func start(owner: any ExecutorOwner) { self.owner = owner }

    // MARK: Taking commands

    /// Accepts a command. From now on it ends exactly once, and its observer is told.
    @discardableResult
    func submit(
        _ command: Command, from submitter: Submitter, peer: Peer, observer: any JobObserver
    ) throws(Refusal) -> Job {
        if isStopping { throw .shuttingDown }
        var command = command
        let lane = command.lane
        if lane.waitsInQueue, command.request.timeout == nil { command.request.timeout = limits.timeout }
        try checkRoom(for: lane, isRestricted: peer.isRestricted)
        let job = Job(
            number: lastNumber + 1, command: command, peer: peer, observer: observer, owner: self,
            outputLimit: limits.output, excerptLimit: records.excerptLimit)
        if lane.waitsInQueue { try queue.append(job, from: submitter) }
        lastNumber += 1
        revision += 1
        records.accepted(job)
        let isWanted = observer.jobWasAccepted(job, position: queue.position(of: job))
        owner?.executorDidChange()
        if !isWanted {
            job.interrupt(.clientHasLeft)
        } else if lane.waitsInQueue {
            startNext()
        } else {
            started.beside.append(job)
            _ = start(job, lock: -1)
        }
        return job
    }

    /// Commands beside the queue are counted by kind, so that following logs does not keep anybody from cancelling.
    private func checkRoom(for lane: Lane, isRestricted: Bool) throws(Refusal) {
        if lane.waitsInQueue { return }
        let running = started.beside.filter { $0.command.lane == lane }
        let share = ListenerOptions.restrictedShare(of: limits.follow)
        if running.count >= limits.follow {
            throw Refusal(
                code: .queueFull, text: "Too many \(lane.noun) run already (limit \(limits.follow))")
        }
        if isRestricted, running.count(where: \.peer.isRestricted) >= share {
            throw Refusal(
                code: .queueFull,
                text: "Too many \(lane.noun) of read-only sockets run already (limit \(share))")
        }
    }

    // MARK: Starting

    /// Starts the next command if none runs and the lock is free. If a command cannot be started, it ends at once,
    /// and the next one has its turn.
    private func startNext() {
        guard case .free = turn else { return }
        turn = .starting
        let waitBefore = lock.wait
        while case .starting = turn, !isStopping, started.fromQueue.count < Self.drainingLimit,
            let job = queue.first
        {
            do throws(SystemError) {
                turn = try take(job)
            } catch {
                let text = "The command could not be locked: \(error)"
                job.interrupt(Refusal(code: .spawnFailed, text: text))
            }
        }
        if case .starting = turn {
            turn = .free
            lock.giveUp()
        }
        if lock.wait != waitBefore { didChangeLockWait() }
    }

    /// Starts a command of the queue under the lock, if the lock is free.
    private func take(_ job: Job) throws(SystemError) -> Turn {
        let hasLock = try lock.acquire { [unowned self] in
            turn = .free
            startNext()
        }
        guard hasLock else { return .waitingForLock }
        queue.remove(job)
        started.fromQueue.append(job)
        if let audience = start(job, lock: lock.number) { return .taken(audience) }
        lock.release()
        return .starting
    }

    /// Nil if it has already ended.
    private func start(_ job: Job, lock: Int32) -> Audience? {
        revision += 1
        records.willStart(job)
        let audience = Audience([job], owner: self)
        return audience.start(lock: lock, context: context) ? audience : nil
    }

    private func didChangeLockWait() {
        revision += 1
        owner?.executorDidChange()
    }

    // MARK: Looking

    var waiting: [Job] { queue.waiting }
    var waitingCount: Int { queue.count }
    /// Set while the next command waits for a lock that another process holds.
    var lockWait: LockWait? { lock.wait }
    var running: [Job] { started.fromQueue + started.beside }
    var isIdle: Bool { started.fromQueue.isEmpty && started.beside.isEmpty }

    func job(number: UInt64) -> Job? {
        running.first { $0.number == number } ?? waiting.first { $0.number == number }
    }

    // MARK: Stopping

    /// Accepts and starts nothing more. Waiting commands are answered, endless ones are ended, running ones go on.
    func stop() {
        isStopping = true
        if case .waitingForLock = turn {
            turn = .free
            lock.giveUp()
            didChangeLockWait()
        }
        for job in queue.waiting { job.interrupt(.shuttingDown) }
        for job in started.beside where job.command.lane.neverEnds { job.interrupt(.endedByStop) }
    }

    /// Ends every running command.
    func terminateRunning() {
        for job in running { job.interruptRun(.endedByStop) }
    }
}

extension Executor: AudienceOwner {
    func processDidExit(for audience: Audience) {
        guard case .taken(let current) = turn, current === audience else { return }
        lock.release()
        turn = .free
        startNext()
    }
}

extension Executor: JobOwner {
    func jobDidEnd(_ job: Job) {
        queue.remove(job)
        started.fromQueue.removeAll { $0 === job }
        started.beside.removeAll { $0 === job }
        revision += 1
        if job.startedAt != nil { runCount += 1 }
        if job.isFailure { failureCount += 1 }
        records.ended(job)
        owner?.executorDidChange()
        owner?.executorDidEnd(job)
        startNext()
    }
}

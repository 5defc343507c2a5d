// Runs commands: each gets a number and a log line, starts in its turn or at once, and ends once.
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
        /// Commands at once.
        var schedule = Schedule.Limits()
    }

    /// Runs that have exited but whose output has not ended. Beyond this number the next command waits.
    static let drainingLimit = 63
    private static let heldBackTime = Duration.seconds(1)

    private let limits: Limits
    private let records: CommandRecords
    private let context: RunContext
    private let lock: LockTurn
    private let schedule: Schedule
    /// Started jobs whose output has not ended. Those that had to wait for their turn come first.
    private var started: (inTurn: [Job], beside: [Job]) = ([], [])
    /// The runs of those that had to wait for their turn.
    private var runsInTurn = 0
    private var isStarting = false
    /// Jobs that may not start yet. All are tried again at once.
    private var heldBack: [Job] = []
    private let numbers: JobNumbers
    private(set) var isStopping = false
    private(set) var runCount = 0
    private(set) var failureCount = 0
    /// Changes when other commands wait or run, or wait for something else.
    private(set) var revision = 0
    /// Nil before `start`.
    private weak var owner: (any ExecutorOwner)?

    init(
        limits: Limits, lock: CommandLock, context: RunContext, records: CommandRecords,
        numbers: JobNumbers = JobNumbers(), complain: @escaping (String) -> Void = { _ in }
    ) {
        self.limits = limits
        self.records = records
        self.context = context
        self.numbers = numbers
        schedule = Schedule(limits.schedule)
        self.lock = LockTurn(lock, timers: context.loop.timers, complain: complain)
    }

    /// From now on `owner` is told what happens.
    func start(owner: any ExecutorOwner) { self.owner = owner }

    /// The number of the next job that is accepted.
    var nextNumber: UInt64 { numbers.next }

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
            number: nextNumber, command: command, submitter: submitter, peer: peer, observer: observer,
            owner: self,
            outputLimit: limits.output, excerptLimit: records.excerptLimit)
        if lane.waitsInQueue { try schedule.append(job) }
        do throws(Refusal) {
            try observer.jobWillBeAccepted(job)
        } catch {
            schedule.remove(job)
            throw error
        }
        numbers.giveNext()
        revision += 1
        records.accepted(job)
        let isWanted = observer.jobWasAccepted(
            job, place: place(of: job))
        owner?.executorDidChange()
        if !isWanted {
            job.interrupt(.clientHasLeft)
        } else if lane.waitsInQueue {
            startNext()
        } else {
            started.beside.append(job)
            _ = start(Audience(job, owner: self), lock: -1)
        }
        return job
    }

    /// Takes over waiting commands that an earlier daemon has accepted, in this order, with their numbers. They take
    /// turns as those of one connection.
    func takeOver(_ commands: [AcceptedCommand]) {
        let submitter = Submitter(places: Budget(limit: .max))
        for accepted in commands {
            let job = Job(
                number: accepted.number, command: accepted.command, submitter: submitter, peer: accepted.peer,
                observer: accepted.observer, owner: self, outputLimit: limits.output,
                excerptLimit: records.excerptLimit, acceptedAt: accepted.date)
            // There is no limit that it could exceed.
            try? schedule.append(job)
            records.tookOver(job)
        }
        revision += 1
        owner?.executorDidChange()
        startNext()
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
                text: "Too many \(lane.noun) of limited sockets run already (limit \(share))")
        }
    }

    // MARK: Starting

    /// Starts every command whose turn has come. If one cannot be started, it ends at once, and the next one has its
    /// turn.
    private func startNext() {
        guard !isStarting else { return }
        isStarting = true
        defer { isStarting = false }
        let waitBefore = lock.wait
        while !isStopping,
            runsInTurn < Self.drainingLimit + schedule.limits.readers + schedule.limits.workers,
            startRead() || startQueued()
        {}
        if schedule.next() == nil { lock.giveUp() }
        if lock.wait != waitBefore { didChangeLockWait() }
    }

    /// False if no read may start.
    private func startRead() -> Bool {
        guard let job = schedule.nextRead() else { return false }
        if mayStart(job) { _ = startInTurn(job, lock: -1) }
        return true
    }

    /// False if no command of the queue may start, or if another process holds the lock.
    private func startQueued() -> Bool {
        guard let job = schedule.next() else { return false }
        if followsHeldBack(job) { return true }
        do throws(SystemError) {
            guard try lock.enter(orLater: { [unowned self] in startNext() }) else { return false }
        } catch {
            let text = "The command could not be locked: \(error)"
            giveUp(job, Refusal(code: .spawnFailed, text: text))
            return true
        }
        if !mayStart(job) || !startInTurn(job, lock: lock.number) { leaveLock() }
        return true
    }

    /// If its observer does not let a job start, others have their turn, and it is tried again later.
    private func mayStart(_ job: Job) -> Bool {
        if followsHeldBack(job) { return false }
        if job.mayStart() { return true }
        tryLater(job)
        return false
    }

    /// Ends a job that waits. If its observer does not let it end either, it is tried again later.
    private func giveUp(_ job: Job, _ reason: Refusal) {
        do throws(Refusal) {
            try job.prepareInterrupt(reason)
            job.interrupt(reason)
        } catch {
            job.holdBack()
            tryLater(job)
        }
    }

    /// What keeps one job from being written down keeps the others, too. So they are not asked before it is tried again: a
    /// thousand attempts would hold the loop for seconds.
    private func followsHeldBack(_ job: Job) -> Bool {
        guard !heldBack.isEmpty, job.command.request.isDetached else { return false }
        job.holdBack()
        tryLater(job)
        return true
    }

    private func tryLater(_ job: Job) {
        revision += 1
        heldBack.append(job)
        guard heldBack.count == 1 else { return }
        _ = context.loop.timers.schedule(after: Self.heldBackTime) { [weak self] in self?.tryAgain() }
    }

    private func tryAgain() {
        for job in heldBack { job.release() }
        heldBack = []
        revision += 1
        startNext()
    }

    /// Starts a command, and all that ask the same. False if they have already ended.
    private func startInTurn(_ job: Job, lock: Int32) -> Bool {
        let jobs = schedule.take(job)
        started.inTurn += jobs
        let audience = Audience(job, and: jobs.dropFirst(), owner: self)
        guard start(audience, lock: lock) else { return false }
        runsInTurn += 1
        schedule.didStart(audience)
        return true
    }

    private func start(_ audience: Audience, lock: Int32) -> Bool {
        revision += 1
        if let lead = audience.jobs.first { records.willStart(lead) }
        return audience.start(lock: lock, context: context)
    }

    /// A command that ran under the lock has ended.
    private func leaveLock() {
        lock.leave(next: schedule.wantsLock ? { [unowned self] in startNext() } : nil)
    }

    private func didChangeLockWait() {
        revision += 1
        owner?.executorDidChange()
    }

    // MARK: Looking

    var waiting: [Job] { schedule.waiting }
    /// The waiting commands, and what each of them waits for.
    var obstacles: [(job: Job, obstacle: Obstacle?)] {
        schedule.obstacles(isLocked: lock.wait != nil)
    }
    /// How many run of each kind, of how many that may run at once.
    var load: (readers: (Int, of: Int), workers: (Int, of: Int)) {
        (
            (schedule.running.reads.count, schedule.limits.readers),
            (schedule.running.queue.count, schedule.limits.workers)
        )
    }
    var waitingCount: Int { schedule.waitingCount }
    /// Set while the next command waits for a lock that another process holds.
    var lockWait: LockWait? { lock.wait }
    var running: [Job] { started.inTurn + started.beside }
    var isIdle: Bool { started.inTurn.isEmpty && started.beside.isEmpty }

    /// What keeps a job waiting, as far as its viewer may know it: nothing about jobs that it does not see.
    func seen(_ obstacle: Obstacle, by viewer: ListenerRules.Owner) -> Obstacle {
        switch obstacle {
        case .job(let number), .run(of: let number):
            job(number: number).map { viewer.sees($0.peer.owner) } ?? false ? obstacle : .turn
        case .lock: viewer == .host ? obstacle : .turn
        case .turn, .disk: obstacle
        }
    }

    private func place(of job: Job) -> QueuePlace {
        var place = schedule.place(of: job, isLocked: lock.wait != nil)
        place.obstacle = place.obstacle.map { seen($0, by: job.peer.owner) }
        return place
    }

    func job(number: UInt64) -> Job? {
        running.first { $0.number == number } ?? waiting.first { $0.number == number }
    }

    // MARK: Stopping

    /// Accepts and starts nothing more. Waiting commands are answered, endless ones are ended, running ones go on. What
    /// waits and outlives its client is left to the next daemon.
    func stop() {
        isStopping = true
        if lock.wait != nil {
            lock.giveUp()
            didChangeLockWait()
        }
        for job in schedule.waiting where !job.command.request.isDetached { job.interrupt(.shuttingDown) }
        for job in started.beside where job.command.lane.neverEnds { job.interrupt(.endedByStop) }
    }

    /// Ends every running command.
    func terminateRunning() {
        for job in running { job.interruptRun(.endedByStop) }
    }
}

extension Executor: AudienceOwner {
    func processDidExit(for audience: Audience) {
        if schedule.didExit(audience) { leaveLock() }
        startNext()
    }

    func leadDidChange(of audience: Audience) {
        if let lead = audience.jobs.first { records.willStart(lead) }
    }

    func runDidEnd(for audience: Audience) {
        if audience.command.lane.waitsInQueue { runsInTurn -= 1 }
    }
}

extension Executor: JobOwner {
    func jobDidStart(_ job: Job) { records.started(job) }

    func jobDidEnd(_ job: Job) {
        schedule.remove(job)
        started.inTurn.removeAll { $0 === job }
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

// Which waiting command may start beside those that run.
//
// Commands that run beside the queue because they only read have a line of their own. All others stand in the queue. A
// command never overtakes one that it must not run beside.
import DokkuProtocol

final class Schedule {
    /// How many run at once.
    struct Limits {
        /// Commands that only read, beside the queue and without its lock. If 0, they wait in the queue.
        var readers = 0
        /// Commands of the queue.
        var workers = 1
    }

    let limits: Limits
    private let reads = CommandQueue()
    private let queue = CommandQueue()
    /// What runs, until its process has exited.
    private(set) var running: (reads: [Audience], queue: [Audience]) = ([], [])
    /// The last job that has come, and the last one that had come when a command that runs beside nothing ended. The
    /// reads up to that one go before the next such command, so that a stream of them keeps no read waiting for ever.
    private var last: (job: UInt64, beforeNextAlone: UInt64) = (0, 0)

    init(_ limits: Limits) { self.limits = limits }

    private func isRead(_ command: Command) -> Bool { limits.readers > 0 && command.scope == .nothing }

    private func line(of job: Job) -> CommandQueue { isRead(job.command) ? reads : queue }

    // MARK: Waiting

    /// Lets a command wait, or throws if there are too many.
    func append(_ job: Job) throws(Refusal) {
        try line(of: job).append(job)
        // What an earlier daemon has accepted may come late.
        last.job = max(last.job, job.number)
        if job.command.scope != .nothing { job.submitter.didBegin(change: job.number) }
    }

    /// The job has ended, whether it still waited or not.
    func remove(_ job: Job) {
        line(of: job).remove(job)
        job.submitter.didFinish(job.number)
    }

    /// The waiting commands, each line in the order in which they start if nobody else sends one.
    var waiting: [Job] { reads.waiting + queue.waiting }
    var waitingCount: Int { reads.count + queue.count }
    /// Whether a command waits for the lock, or for its turn to have it.
    var wantsLock: Bool { !queue.isEmpty }

    /// What each of them waits for. `isLocked`: another process holds the lock.
    func obstacles(isLocked: Bool) -> [(job: Job, obstacle: Obstacle?)] {
        var reads = forecast(of: reads, isLocked)
        var queue = forecast(of: queue, isLocked)
        let waiting =
            self.reads.waiting.map { ($0, reads.obstacle(of: $0, behind: obstacle(of: $0))) }
            + self.queue.waiting.map { ($0, queue.obstacle(of: $0)) }
        return waiting.map { job, obstacle in (job, job.isHeldBack ? .disk : obstacle) }
    }

    private func forecast(of line: CommandQueue, _ isLocked: Bool) -> Forecast {
        line === reads
            ? Forecast(limit: limits.readers, running: running.reads)
            : Forecast(
                limit: limits.workers, running: running.queue, beside: lastBeforeAlone, isLocked: isLocked)
    }

    /// The last read for which a command waits that runs beside nothing and whose turn has come.
    private var lastBeforeAlone: UInt64? {
        let waiting = queue.turns.first.flatMap { first in
            reads.turns.last { isInOrder($0) && isBefore($0, first.number) }
        }
        return waiting?.number ?? running.reads.last?.jobs.first?.number
    }

    /// Where a command waits.
    func place(of job: Job, isLocked: Bool) -> QueuePlace {
        let line = line(of: job)
        var forecast = forecast(of: line, isLocked)
        var obstacle: Obstacle?
        for other in line.waiting {
            obstacle = forecast.obstacle(of: other, behind: line === reads ? self.obstacle(of: other) : nil)
            if other === job { break }
        }
        return QueuePlace(position: line.position(of: job), obstacle: obstacle)
    }

    // MARK: Starting

    /// The next command that needs no lock.
    func nextRead() -> Job? {
        guard running.reads.count < limits.readers else { return nil }
        return reads.turns.first { !$0.isHeldBack && isInOrder($0) && obstacle(of: $0) == nil }
    }

    /// A command beside which not even a read may run: it runs, or its turn has come.
    private var alone: UInt64? {
        if let audience = running.queue.first {
            return audience.command.scope == .everything ? audience.jobs.first?.number : nil
        }
        return queue.turns.first.flatMap { $0.command.scope == .everything ? $0.number : nil }
    }

    /// The command that a read must not overtake, and must not run beside.
    private func obstacle(of read: Job) -> UInt64? {
        alone.flatMap { running.queue.isEmpty && isBefore(read, $0) ? nil : $0 }
    }

    private func isBefore(_ read: Job, _ alone: UInt64) -> Bool {
        read.number <= max(alone, last.beforeNextAlone)
    }

    /// A waiting read that comes before a command that runs beside nothing.
    private func read(before alone: Job) -> Job? {
        reads.turns.first { isInOrder($0) && isBefore($0, alone.number) }
    }

    /// The next command that needs the lock.
    func next() -> Job? {
        guard running.queue.count < limits.workers else { return nil }
        let scopes = (running.queue + running.reads).map(\.command.scope)
        // The widest scope of those that have to wait. Of one app's commands it need not know: those of the same app
        // behind them wait for the same command.
        var passed: Scope?
        return queue.turns.first { job in
            if job.isHeldBack { return false }
            let scope = job.command.scope
            let mayPass = passed.map(scope.mayRunBeside) ?? true
            if mayPass, scopes.allSatisfy(scope.mayRunBeside), isInOrder(job),
                scope != .everything || read(before: job) == nil
            {
                return true
            }
            if scope == .everything || scope == .host && passed != .everything { passed = scope }
            return false
        }
    }

    /// A connection's read shows what the connection has changed before.
    private func isInOrder(_ job: Job) -> Bool {
        job.command.scope != .nothing || job.submitter.change(before: job.number) == nil
    }

    /// Takes a command whose turn has come out of its line, and all that ask the same: they share its run.
    func take(_ job: Job) -> [Job] {
        let line = line(of: job)
        line.remove(job)
        guard !line.isEmpty, let question = job.question else { return [job] }
        var jobs = [job]
        for other in line.waiting
        where jobs.count < Audience.limit && other.question == question && isInOrder(other) {
            line.remove(other)
            jobs.append(other)
        }
        return jobs
    }

    func didStart(_ audience: Audience) {
        if isRead(audience.command) { running.reads.append(audience) } else { running.queue.append(audience) }
    }

    /// Its process has exited. True if it ran under the lock.
    func didExit(_ audience: Audience) -> Bool {
        for job in audience.jobs { job.submitter.didFinish(job.number) }
        if let index = running.reads.firstIndex(where: { $0 === audience }) {
            running.reads.remove(at: index)
        }
        guard let index = running.queue.firstIndex(where: { $0 === audience }) else { return false }
        running.queue.remove(at: index)
        if audience.command.scope == .everything { last.beforeNextAlone = last.job }
        return true
    }
}

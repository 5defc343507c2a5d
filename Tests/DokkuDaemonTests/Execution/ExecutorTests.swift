// How many commands may run beside the queue, and through which sockets.
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct ExecutorTests {
    private let folder: Folder
    private let recorded: RecordedExecutor

    init() throws {
        folder = try Folder()
        let records = CommandRecords(log: AuditLog(path: nil) { _ in }, journal: nil, running: nil)
        recorded = try RecordedExecutor(records, folder: folder, follow: 4)
    }

    /// Runs until it is ended.
    @discardableResult
    private func submit(_ lane: Lane, isRestricted: Bool = false) throws -> Job {
        try recorded.submit("sleep 1000", lane: lane, isRestricted: isRestricted)
    }

    private func isFull(_ lane: Lane, isRestricted: Bool = false) -> Bool {
        do {
            try submit(lane, isRestricted: isRestricted)
            return false
        } catch {
            return (error as? Refusal)?.code == .queueFull
        }
    }

    private func end() throws {
        let jobs = recorded.executor.running
        recorded.executor.terminateRunning()
        for job in jobs { try recorded.finish(job) }
    }

    @Test(arguments: [Lane.follow, .beside, .cancel])
    func `a limited number of commands run beside the queue`(lane: Lane) throws {
        let first = try submit(lane)
        for _ in 1..<4 { try submit(lane) }
        #expect(isFull(lane))
        first.interrupt(Refusal(code: .cancelled, text: ""))
        try recorded.finish(first)
        try submit(lane)
        try end()
    }

    @Test func `following commands keep nobody from cancelling`() throws {
        for _ in 0..<4 { try submit(.follow) }
        for _ in 0..<4 { try submit(.beside) }
        for _ in 0..<4 { try submit(.cancel) }
        #expect(isFull(.follow) && isFull(.beside) && isFull(.cancel))
        try end()
    }

    @Test(arguments: [Lane.follow, .beside, .cancel])
    func `restricted sockets leave some places to others`(lane: Lane) throws {
        for _ in 0..<3 { try submit(lane, isRestricted: true) }
        #expect(isFull(lane, isRestricted: true))
        try submit(lane)
        #expect(isFull(lane))
        try end()
    }

    @Test func `a job that must not start yet lets others ahead and is tried again`() throws {
        let observer = JobRecorder()
        observer.mayStart = false
        let held = try submit("echo held", observer)
        #expect(held.isHeldBack && recorded.executor.obstacles.map(\.obstacle) == [.disk])
        try recorded.run("echo other")
        #expect(observer.events == [.accepted] && recorded.executor.running.isEmpty)
        observer.mayStart = true
        try recorded.loop.turn(until: observer.hasEnded, "the job's second turn")
        #expect(observer.text == "held\n")
    }

    /// What keeps one from being written down keeps the others, too, and each attempt may take long.
    @Test func `while a detached job must not start yet the others are not asked, and keep their order`()
        throws
    {
        let observers = (0..<3).map { _ in JobRecorder() }
        for (number, observer) in observers.enumerated() {
            observer.mayStart = false
            try submit("echo \(number) >>\(folder.path("order"))", observer, isDetached: true)
        }
        #expect(recorded.executor.obstacles.map(\.obstacle) == [.disk, .disk, .disk])
        #expect(observers.map(\.askCount) == [1, 0, 0])
        try recorded.run("echo other")
        try recorded.loop.turn(until: observers[0].askCount == 2, "the second attempt")
        #expect(observers.map(\.askCount) == [2, 0, 0])
        for observer in observers { observer.mayStart = true }
        try recorded.loop.turn(until: observers.allSatisfy(\.hasEnded), "the jobs' turns")
        #expect(observers.map(\.askCount) == [3, 1, 1])
        #expect(try folder.read("order") == "0\n1\n2\n")
    }

    @Test func `a job that must not start yet can be cancelled`() throws {
        let observer = JobRecorder()
        observer.mayStart = false
        let held = try submit("echo held", observer)
        held.interrupt(Refusal(code: .cancelled, text: ""))
        #expect(observer.events == [.accepted, .ended] && recorded.executor.waitingCount == 0)
        try recorded.run("echo other")
    }

    /// It cannot be locked, and its end cannot be written down.
    @Test func `a job that must not end yet is tried again`() throws {
        try folder.makeFolder("lock")
        let observer = JobRecorder()
        observer.mayEnd = false
        let job = try submit("echo never", observer)
        #expect(job.isHeldBack && observer.events == [.accepted])
        observer.mayEnd = true
        try recorded.loop.turn(until: observer.hasEnded, "the job's end")
        #expect(job.failure?.reason.code == .spawnFailed && job.startedAt == nil)
    }

    // MARK: One end

    @discardableResult
    private func submit(
        _ script: String, _ observer: JobRecorder, lane: Lane = .queue, isDetached: Bool = false
    ) throws -> Job {
        let invocation = try #require(Invocation(["-c", script, "apps:list"], nameIndex: 2))
        var command = Command(invocation: invocation, lane: lane)
        command.request.isDetached = isDetached
        return try recorded.executor.submit(
            command,
            from: Submitter(places: Budget(limit: 100)), peer: .sample, observer: observer)
    }

    /// Its client had left when it was taken.
    @Test(arguments: [Lane.queue, .follow])
    func `a command that nobody wants any more never starts`(lane: Lane) throws {
        let owner = Owner()
        recorded.executor.start(owner: owner)
        let observer = JobRecorder()
        observer.isWanted = false
        let job = try submit("exit 0", observer, lane: lane)
        #expect(observer.events == [.accepted, .ended] && owner.ended == [1])
        #expect(job.failure == .ended(.clientHasLeft) && job.startedAt == nil)
        #expect(recorded.executor.isIdle && recorded.executor.waitingCount == 0)
        try recorded.run("exit 0")
    }

    /// Each of them is over at once, and the one behind it has its turn.
    @Test func `a command that cannot be started holds up nobody`() throws {
        let lock = CommandLock(path: folder.path("lock"))
        #expect(try lock.acquire())
        let owner = Owner()
        recorded.executor.start(owner: owner)
        let observers = (0..<50).map { _ in JobRecorder() }
        let tooLong = String(repeating: "x", count: 1 << 21)
        for observer in observers { _ = try submit(tooLong, observer) }
        let last = try recorded.submit("exit 0")
        lock.release()
        try recorded.finish(last)
        #expect(owner.ended == Array(1...51))
        #expect(observers.allSatisfy { $0.events == [.accepted, .started, .ended] })
        #expect(last.isSuccess && recorded.executor.failureCount == 50 && recorded.executor.runCount == 51)
    }

    @Test func `the others move up when a waiting command is cancelled`() throws {
        let lock = CommandLock(path: folder.path("lock"))
        #expect(try lock.acquire())
        let observers = (0..<3).map { _ in JobRecorder() }
        let jobs = try observers.map { try submit("exit 0", $0) }
        #expect(observers.map(\.position) == [1, 2, 3])
        jobs[1].interrupt(.clientHasLeft)
        #expect(observers[1].hasEnded)
        #expect(recorded.executor.waiting.map(\.number) == [1, 3])
        lock.release()
        while !observers[2].hasEnded { try recorded.loop.turn(waiting: nil) }
        #expect(jobs[2].isSuccess && jobs[1].status == nil)
    }
}

/// Notes whose end it is told.
private final class Owner: ExecutorOwner {
    private(set) var ended: [UInt64] = []
    func executorDidChange() {}
    func executorDidEnd(_ job: Job) { ended.append(job.number) }
}

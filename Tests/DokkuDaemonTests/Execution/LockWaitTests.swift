// What the executor does and says while somebody else has the lock.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite final class LockWaitTests {
    private let folder: Folder
    private let other: CommandLock
    private let recorded: RecordedExecutor
    private let said = Said()
    private let owner = Owner()

    private final class Said { var lines: [String] = [] }

    private final class Owner: ExecutorOwner {
        private(set) var changes = 0
        func executorDidChange() { changes += 1 }
        func executorDidEnd(_ job: Job) {}
    }

    private var executor: Executor { recorded.executor }

    init() throws {
        folder = try Folder()
        other = CommandLock(path: folder.path("lock"))
        #expect(try other.acquire())
        let records = CommandRecords(log: AuditLog(path: nil) { _ in }, journal: nil, running: nil)
        recorded = try RecordedExecutor(records, folder: folder) { [said] in said.lines.append($0) }
        executor.start(owner: owner)
    }

    /// As if time had passed: each of these is an attempt, or more.
    private func letTimePass() {
        for _ in 0..<300 { recorded.loop.timers.fire(until: .now + .milliseconds(101)) }
    }

    @Test func `a long wait for the lock is complained of once`() throws {
        let job = try recorded.submit("exit 0")
        #expect(executor.lockWait?.holder?.pid == getpid() && executor.waitingCount == 1)
        let changesBefore = owner.changes
        letTimePass()
        let holder =
            "the next command waits for the lock \(folder.path("lock")), held by process \(getpid()) ("
        #expect(said.lines.count == 1 && said.lines[0].hasPrefix(holder))
        #expect(owner.changes == changesBefore)
        other.release()
        try recorded.finish(job)
        #expect(executor.lockWait == nil && said.lines.count == 1)
        #expect(job.isSuccess)
    }

    @Test func `a wait ends with the command that waited`() throws {
        let job = try recorded.submit("exit 0")
        #expect(executor.lockWait != nil)
        job.interrupt(.clientHasLeft)
        letTimePass()
        #expect(executor.lockWait == nil && executor.isIdle && executor.waitingCount == 0)
        other.release()
        try recorded.run("exit 0")
    }

    @Test func `a stop ends the wait`() throws {
        let job = try recorded.submit("exit 0")
        executor.stop()
        #expect(executor.lockWait == nil)
        try recorded.finish(job)
        #expect(job.status == nil && job.failure == .ended(.shuttingDown))
    }
}

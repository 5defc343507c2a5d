// What the worker says while it cannot go on.
import Glibc
import Testing

@testable import DokkuDaemon

@Suite struct WorkerTests {
    @Test func aLongWaitForTheLockIsComplainedOfOnce() throws {
        let folder = try Folder()
        let other = CommandLock(path: folder.path("lock"))
        #expect(try other.acquire())
        let loop = try EventLoop()
        let context = RunContext(
            loop: loop, launcher: Launcher(program: "/bin/true", environment: [:]), killGrace: .seconds(100),
            drainGrace: .seconds(100))
        let queue = CommandQueue()
        let (observer, submitter) = (JobRecorder(), Submitter(places: Budget(limit: 10)))
        var said: [String] = []
        var changes = 0
        let worker = Worker(queue: queue, lock: CommandLock(path: folder.path("lock")), context: context) {
            said.append($0)
        }
        worker.lockWaitDidChange = { changes += 1 }
        let job = Job.sample(1, observer: observer)
        try queue.append(job, from: submitter)
        worker.startNext()
        #expect(worker.lockWait?.holder?.pid == getpid() && changes == 1)
        // As if time had passed: each of these is an attempt, or more.
        for _ in 0..<300 { loop.timers.fire(until: .now + .milliseconds(101)) }
        let holder =
            "the next command waits for the lock \(folder.path("lock")), held by process \(getpid()) ("
        #expect(said.count == 1 && said[0].hasPrefix(holder))
        other.release()
        try loop.turn(until: observer.hasEnded)
        #expect(worker.lockWait == nil && changes == 2 && said.count == 1)
        #expect(job.isSuccess)
    }

    @Test func aWaitEndsWithWhoWaited() throws {
        let folder = try Folder()
        let other = CommandLock(path: folder.path("lock"))
        #expect(try other.acquire())
        let loop = try EventLoop()
        let context = RunContext(
            loop: loop, launcher: Launcher(program: "/bin/true", environment: [:]), killGrace: .seconds(100),
            drainGrace: .seconds(100))
        let queue = CommandQueue()
        let submitter = Submitter(places: Budget(limit: 10))
        let worker = Worker(queue: queue, lock: CommandLock(path: folder.path("lock")), context: context) {
            _ in
        }
        let job = Job.sample(1)
        try queue.append(job, from: submitter)
        worker.startNext()
        #expect(worker.lockWait != nil)
        queue.remove(job)
        try loop.turn(until: worker.lockWait == nil)
    }
}

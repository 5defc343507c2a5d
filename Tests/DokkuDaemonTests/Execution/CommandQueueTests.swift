// The queue's order: first come, first served, and one waiting command of each submitter.
import Testing

@testable import DokkuDaemon

@Suite final class CommandQueueTests {
    private let queue = CommandQueue(limit: 1000)
    private var lastNumber: UInt64 = 0

    private func job() -> Job {
        lastNumber += 1
        return Job.sample(lastNumber)
    }

    @discardableResult
    private func append(_ count: Int, from submitter: Submitter) throws -> [Job] {
        let jobs = (0..<count).map { _ in job() }
        for job in jobs { try queue.append(job, from: submitter) }
        return jobs
    }

    /// Takes one after another from the head, as the worker does.
    private func takeAll() -> [UInt64] {
        var taken: [UInt64] = []
        while let job = queue.first {
            queue.remove(job)
            taken.append(job.number)
        }
        return taken
    }

    @Test func anEmptyQueueHasNothing() {
        #expect(queue.first == nil)
        #expect(queue.count == 0)
        #expect(queue.waiting.isEmpty)
        #expect(queue.position(of: job()) == 0)
    }

    @Test func firstComeFirstServed() throws {
        for _ in 0..<3 { try append(1, from: Submitter()) }
        #expect(takeAll() == [1, 2, 3])
        #expect(queue.count == 0)
    }

    @Test func aThousandCommandsDelayAnotherSubmitterByOne() throws {
        try append(999, from: Submitter())
        let other = try append(1, from: Submitter())
        #expect(queue.position(of: other[0]) == 2)
        #expect(Array(takeAll().prefix(4)) == [1, 1000, 2, 3])
    }

    @Test func submittersTakeTurns() throws {
        try append(4, from: Submitter())
        try append(2, from: Submitter())
        try append(3, from: Submitter())
        #expect(takeAll() == [1, 5, 7, 2, 6, 8, 3, 9, 4])
    }

    @Test func whoComesWhileOthersRunStandsBehindThoseWhoWait() throws {
        let one = Submitter()
        try append(3, from: one)
        queue.remove(try #require(queue.first))
        let other = try append(1, from: Submitter())
        #expect(queue.waiting.map(\.number) == [2, 4, 3])
        #expect(queue.position(of: other[0]) == 2)
        #expect(takeAll() == [2, 4, 3])
        try append(1, from: one)
        #expect(takeAll() == [5])
    }

    @Test func positionsComeTrue() throws {
        for count in [3, 1, 5, 2, 4] { try append(count, from: Submitter()) }
        let expected = queue.waiting.map { (position: queue.position(of: $0), number: $0.number) }
            .sorted { $0.position < $1.position }
        #expect(expected.map(\.position) == Array(1...15))
        #expect(takeAll() == expected.map(\.number))
    }

    @Test func theLimitCountsWhatIsHeldBack() throws {
        let queue = CommandQueue(limit: 3)
        let submitter = Submitter()
        let jobs = (0..<3).map { _ in job() }
        for job in jobs { try queue.append(job, from: submitter) }
        #expect(throws: Refusal.queueFull) { try queue.append(job(), from: submitter) }
        #expect(throws: Refusal.queueFull) { try queue.append(job(), from: Submitter()) }
        #expect(queue.count == 3)
        #expect(queue.waiting.count == 3)
        queue.remove(jobs[2])
        let late = job()
        try queue.append(late, from: Submitter())
        #expect(queue.position(of: late) == 2)
    }

    @Test func removalInTheMiddle() throws {
        let jobs = try append(4, from: Submitter())
        let others = try append(2, from: Submitter())
        // One that is held back, one that is in the queue, and one that left already.
        queue.remove(jobs[2])
        queue.remove(others[0])
        queue.remove(others[0])
        #expect(queue.count == 4)
        #expect(queue.position(of: jobs[2]) == 0)
        #expect(takeAll() == [1, 6, 2, 4])
    }

    @Test func theNextOneOfARemovedCommandEntersAtTheTail() throws {
        let jobs = try append(2, from: Submitter())
        try append(1, from: Submitter())
        queue.remove(jobs[0])
        #expect(takeAll() == [3, 2])
    }

    @Test func allThatWaitIsListedOnce() throws {
        for count in [3, 2] { try append(count, from: Submitter()) }
        #expect(queue.waiting.map(\.number).sorted() == [1, 2, 3, 4, 5])
        #expect(queue.waiting.prefix(2).map(\.number) == [1, 4])
    }

    @Test func theQueueHoldsNoCommandThatHasLeft() throws {
        weak var left: Job?
        let submitter = Submitter()
        do {
            let job = job()
            left = job
            try queue.append(job, from: submitter)
        }
        #expect(left != nil)
        queue.remove(try #require(queue.first))
        #expect(left == nil)
    }
}

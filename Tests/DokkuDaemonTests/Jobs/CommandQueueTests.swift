// The queue's order: first come, first served, and one waiting command of each submitter.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite final class CommandQueueTests {
    private let queue = CommandQueue()
    private let places = Budget(limit: 1000)
    private var lastNumber: UInt64 = 0

    private func job(_ submitter: Submitter) -> Job {
        lastNumber += 1
        return Job.sample(lastNumber, submitter: submitter)
    }

    @discardableResult
    private func append(_ count: Int, from submitter: Submitter) throws -> [Job] {
        let jobs = (0..<count).map { _ in job(submitter) }
        for job in jobs { try queue.append(job) }
        return jobs
    }

    /// Takes one after another from the head, as the worker does.
    private func takeAll() -> [UInt64] {
        var taken: [UInt64] = []
        while let job = queue.turns.first {
            queue.remove(job)
            taken.append(job.number)
        }
        return taken
    }

    @Test func `an empty queue has nothing`() {
        #expect(queue.turns.first == nil)
        #expect(queue.count == 0)
        #expect(queue.waiting.isEmpty)
        #expect(queue.position(of: job(Submitter(places: places))) == 0)
    }

    @Test func `the first to come is served first`() throws {
        for _ in 0..<3 { try append(1, from: Submitter(places: places)) }
        #expect(takeAll() == [1, 2, 3])
        #expect(queue.count == 0)
    }

    @Test func `a thousand commands delay another submitter by one`() throws {
        try append(999, from: Submitter(places: places))
        let other = try append(1, from: Submitter(places: places))
        #expect(queue.position(of: other[0]) == 2)
        #expect(Array(takeAll().prefix(4)) == [1, 1000, 2, 3])
    }

    @Test func `submitters take turns`() throws {
        try append(4, from: Submitter(places: places))
        try append(2, from: Submitter(places: places))
        try append(3, from: Submitter(places: places))
        #expect(takeAll() == [1, 5, 7, 2, 6, 8, 3, 9, 4])
    }

    @Test func `a newcomer stands behind those who wait`() throws {
        let one = Submitter(places: places)
        try append(3, from: one)
        queue.remove(try #require(queue.turns.first))
        let other = try append(1, from: Submitter(places: places))
        #expect(queue.waiting.map(\.number) == [2, 4, 3])
        #expect(queue.position(of: other[0]) == 2)
        #expect(takeAll() == [2, 4, 3])
        try append(1, from: one)
        #expect(takeAll() == [5])
    }

    @Test func `positions come true`() throws {
        for count in [3, 1, 5, 2, 4] { try append(count, from: Submitter(places: places)) }
        let expected = queue.waiting.map { (position: queue.position(of: $0), number: $0.number) }
            .sorted { $0.position < $1.position }
        #expect(expected.map(\.position) == Array(1...15))
        #expect(takeAll() == expected.map(\.number))
    }

    /// Whatever waits: what a command is told comes true if nobody else comes, and the list has the same order.
    @Test func `positions come true in any queue`() throws {
        for _ in 0..<200 {
            let queue = CommandQueue()
            let submitters = (0..<4).map { _ in Submitter(places: places) }
            for _ in 0..<Int.random(in: 1...30) {
                if Int.random(in: 0..<3) == 0, let next = queue.waiting.randomElement() ?? queue.turns.first {
                    queue.remove(Bool.random() ? next : queue.turns.first ?? next)
                    continue
                }
                let job = job(submitters[Int.random(in: 0..<4)])
                try queue.append(job)
                let told = queue.position(of: job)
                #expect(told == queue.waiting.firstIndex { $0 === job }.map { $0 + 1 })
            }
            let listed = queue.waiting.map(\.number)
            #expect(
                queue.waiting.map { queue.position(of: $0) }
                    == Array(1...max(1, listed.count)).prefix(listed.count).map { $0 })
            var started: [UInt64] = []
            while let job = queue.turns.first {
                queue.remove(job)
                started.append(job.number)
            }
            #expect(started == listed)
        }
        #expect(places.used == 0)
    }

    @Test func `one part of the clients has one part of the places`() throws {
        let places = Budget(limit: 4)
        let restricted = Budget(restrictedShareOf: places)
        let submitters = (0..<2).map { _ in Submitter(places: restricted) }
        for submitter in submitters { try queue.append(job(submitter)) }
        try queue.append(job(submitters[0]))
        #expect(throws: Refusal.queueFull) { try queue.append(job(submitters[1])) }
        try queue.append(job(Submitter(places: places)))
        #expect(throws: Refusal.queueFull) { try queue.append(job(Submitter(places: places))) }
        while let job = queue.turns.first { queue.remove(job) }
        #expect(places.used == 0 && restricted.used == 0)
    }

    @Test func `the limit counts what is held back`() throws {
        let queue = CommandQueue()
        let places = Budget(limit: 3)
        let submitter = Submitter(places: places)
        let jobs = (0..<3).map { _ in job(submitter) }
        for job in jobs { try queue.append(job) }
        #expect(throws: Refusal.queueFull) { try queue.append(job(submitter)) }
        #expect(throws: Refusal.queueFull) { try queue.append(job(Submitter(places: places))) }
        #expect(queue.count == 3)
        #expect(queue.waiting.count == 3)
        queue.remove(jobs[2])
        let late = job(Submitter(places: places))
        try queue.append(late)
        #expect(queue.position(of: late) == 2)
    }

    @Test func `a command in the middle can be removed`() throws {
        let jobs = try append(4, from: Submitter(places: places))
        let others = try append(2, from: Submitter(places: places))
        // One that is held back, one that is in the queue, and one that left already.
        queue.remove(jobs[2])
        queue.remove(others[0])
        queue.remove(others[0])
        #expect(queue.count == 4)
        #expect(queue.position(of: jobs[2]) == 0)
        #expect(takeAll() == [1, 6, 2, 4])
    }

    @Test func `the command after a removed one enters at the tail`() throws {
        let jobs = try append(2, from: Submitter(places: places))
        try append(1, from: Submitter(places: places))
        queue.remove(jobs[0])
        #expect(takeAll() == [3, 2])
    }

    @Test func `each command that waits is listed once`() throws {
        for count in [3, 2] { try append(count, from: Submitter(places: places)) }
        #expect(queue.waiting.map(\.number).sorted() == [1, 2, 3, 4, 5])
        #expect(queue.waiting.prefix(2).map(\.number) == [1, 4])
    }

    @Test func `the queue holds no command that has left`() throws {
        weak var left: Job?
        let submitter = Submitter(places: places)
        do {
            let job = job(submitter)
            left = job
            try queue.append(job)
        }
        #expect(left != nil)
        queue.remove(try #require(queue.turns.first))
        #expect(left == nil)
    }
}

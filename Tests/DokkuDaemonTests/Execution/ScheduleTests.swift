// Which waiting command may start beside those that run.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite final class ScheduleTests {
    private let places = Budget(limit: 10_000)
    private var lastNumber: UInt64 = 0
    /// The runs of what was started, by job.
    private var runs: [UInt64: Audience] = [:]

    private func submitter() -> Submitter { Submitter(places: places) }

    @discardableResult
    private func wait(
        _ schedule: Schedule, _ line: String, _ submitter: Submitter? = nil, isRestricted: Bool = false,
        _ change: (inout RunRequest) -> Void = { _ in }
    ) throws -> Job {
        lastNumber += 1
        var words = ArgumentList()
        for word in line.split(separator: " ") {
            words.append(Array(word.utf8))
            words.endWord()
        }
        var command = Command.sample(words)
        change(&command.request)
        var peer = Peer.sample
        peer.rules.options = isRestricted ? .readOnly : []
        let job = Job.sample(lastNumber, command, peer: peer, submitter: submitter ?? self.submitter())
        try schedule.append(job)
        return job
    }

    /// Starts all that may start now, as the executor does. The numbers of each run's jobs.
    @discardableResult
    private func start(_ schedule: Schedule) -> [[UInt64]] {
        var started: [[UInt64]] = []
        while let job = schedule.nextRead() ?? schedule.next() {
            let jobs = schedule.take(job)
            let audience = Audience(job, and: jobs.dropFirst(), owner: nil)
            schedule.didStart(audience)
            runs[job.number] = audience
            started.append(jobs.map(\.number))
        }
        return started
    }

    /// The process of this job has exited. The jobs that start because of that.
    private func exit(_ number: UInt64, _ schedule: Schedule) throws -> [[UInt64]] {
        let run = runs.removeValue(forKey: number)
        _ = schedule.didExit(try #require(run))
        return start(schedule)
    }

    // MARK: One at a time

    @Test func `one command runs at a time by default`() throws {
        let schedule = Schedule(.init())
        for line in ["apps:list", "ps:rebuild a", "ps:rebuild b"] { try wait(schedule, line) }
        #expect(start(schedule) == [[1]])
        #expect(try exit(1, schedule) == [[2]])
        #expect(try exit(2, schedule) == [[3]])
    }

    // MARK: Readers

    @Test func `reads pass by a change as many as may at once`() throws {
        let schedule = Schedule(.init(readers: 2))
        try wait(schedule, "ps:rebuild a")
        for app in "abc" { try wait(schedule, "ps:report \(app)") }
        #expect(start(schedule) == [[2], [3], [1]])
        #expect(try exit(2, schedule) == [[4]])
        #expect(try exit(1, schedule) == [])
    }

    @Test func `a connection's read waits for its change and nobody else's does`() throws {
        let schedule = Schedule(.init(readers: 4))
        let one = submitter()
        try wait(schedule, "ps:rebuild a")
        try wait(schedule, "config:set b K=V", one)
        try wait(schedule, "ps:report a", one)
        try wait(schedule, "ps:report b")
        #expect(start(schedule) == [[4], [1]])
        #expect(try exit(1, schedule) == [[2]])
        #expect(try exit(2, schedule) == [[3]])
    }

    /// With a change that came after it, it has nothing to do.
    @Test func `a read does not wait for a later change`() throws {
        let schedule = Schedule(.init(readers: 1))
        let one = submitter()
        try wait(schedule, "ps:report a")
        #expect(start(schedule) == [[1]])
        try wait(schedule, "ps:report b", one)
        try wait(schedule, "ps:rebuild b", one)
        #expect(start(schedule) == [[3]])
        #expect(try exit(1, schedule) == [[2]])
    }

    @Test func `a change that was given up delays no read`() throws {
        let schedule = Schedule(.init(readers: 1))
        let one = submitter()
        try wait(schedule, "ps:rebuild a")
        let change = try wait(schedule, "ps:rebuild b", one)
        try wait(schedule, "ps:report b", one)
        #expect(start(schedule) == [[1]])
        schedule.remove(change)
        #expect(start(schedule) == [[3]])
    }

    // MARK: Workers

    @Test func `changes of different apps run side by side`() throws {
        let schedule = Schedule(.init(workers: 3))
        for app in "abcd" { try wait(schedule, "ps:rebuild \(app)") }
        #expect(start(schedule) == [[1], [2], [3]])
        #expect(try exit(2, schedule) == [[4]])
    }

    @Test func `two changes of one app never do`() throws {
        let schedule = Schedule(.init(workers: 3))
        for line in ["ps:rebuild a", "config:set a K=V", "ps:rebuild b"] { try wait(schedule, line) }
        #expect(start(schedule) == [[1], [3]])
        #expect(try exit(1, schedule) == [[2]])
    }

    @Test func `a change of the host runs alone and is not overtaken`() throws {
        let schedule = Schedule(.init(workers: 3))
        for line in ["ps:rebuild a", "apps:create x", "ps:rebuild b", "apps:list"] {
            try wait(schedule, line)
        }
        // The read may go ahead: it disturbs nobody.
        #expect(start(schedule) == [[1], [4]])
        #expect(try exit(1, schedule) == [[2]])
        #expect(try exit(2, schedule) == [[3]])
    }

    /// A stream of one app's commands does not keep the host's waiting.
    @Test func `nothing is starved`() throws {
        let schedule = Schedule(.init(readers: 1, workers: 2))
        try wait(schedule, "ps:rebuild a")
        #expect(start(schedule) == [[1]])
        let host = try wait(schedule, "plugin:update")
        for _ in 0..<5 {
            try wait(schedule, "ps:rebuild b")
            try wait(schedule, "ps:report b")
        }
        #expect(start(schedule).flatMap(\.self).contains(host.number) == false)
        #expect(try exit(1, schedule) == [[host.number]])
    }

    /// `trace:on` changes what every dokku reads as it begins.
    @Test(arguments: [0, 2]) func `some commands run beside nothing`(readers: Int) throws {
        let schedule = Schedule(.init(readers: readers, workers: 3))
        try wait(schedule, "ps:report a")
        #expect(start(schedule) == [[1]])
        try wait(schedule, "trace:on")
        try wait(schedule, "ps:report b")
        #expect(start(schedule) == [])
        #expect(obstacles(schedule) == (readers == 0 ? [.job(1), .job(2)] : [.job(2), .job(1)]))
        #expect(try exit(1, schedule) == [[2]])
        #expect(obstacles(schedule) == [.job(2)])
        #expect(try exit(2, schedule) == [[3]])
    }

    /// It does not keep reads waiting for the deploy that it waits for itself.
    @Test func `reads go on until its turn has come`() throws {
        let schedule = Schedule(.init(readers: 2))
        try wait(schedule, "ps:rebuild a")
        try wait(schedule, "trace:on")
        try wait(schedule, "ps:report a")
        #expect(start(schedule) == [[3], [1]])
        try wait(schedule, "ps:report b")
        #expect(start(schedule) == [[4]])
    }

    @Test func `what runs beside nothing overtakes no read`() throws {
        let schedule = Schedule(.init(readers: 1))
        try wait(schedule, "ps:report a")
        #expect(start(schedule) == [[1]])
        for line in ["ps:report b", "trace:on", "ps:report c"] { try wait(schedule, line) }
        #expect(obstacles(schedule) == [.job(1), .job(3), .job(2)])
        #expect(try exit(1, schedule) == [[2]])
        #expect(try exit(2, schedule) == [[3]])
        #expect(try exit(3, schedule) == [[4]])
    }

    @Test func `a stream of commands that run beside nothing starves no read`() throws {
        let schedule = Schedule(.init(readers: 1))
        let one = submitter()
        for _ in 0..<3 { try wait(schedule, "trace:on", one) }
        #expect(start(schedule) == [[1]])
        for app in "ab" { try wait(schedule, "ps:report \(app)") }
        #expect(try exit(1, schedule) == [[4]])
        try wait(schedule, "ps:report c")
        #expect(try exit(4, schedule) == [[5]])
        #expect(try exit(5, schedule) == [[2]])
        #expect(try exit(2, schedule) == [[6]])
        #expect(try exit(6, schedule) == [[3]])
    }

    // MARK: The same question

    @Test(arguments: [0, 2]) func `those who ask the same share a run`(readers: Int) throws {
        let schedule = Schedule(.init(readers: readers))
        try wait(schedule, "ps:report a")
        #expect(start(schedule) == [[1]])
        for app in ["a", "b", "a", "b", "a"] { try wait(schedule, "ps:report \(app)") }
        // Not the run that began before they asked.
        #expect(start(schedule) == (readers == 0 ? [] : [[2, 4, 6]]))
        #expect(try exit(1, schedule) == (readers == 0 ? [[2, 4, 6]] : [[3, 5]]))
    }

    @Test func `a run has a limited number of askers`() throws {
        let schedule = Schedule(.init())
        for _ in 0..<100 { try wait(schedule, "apps:list") }
        #expect(start(schedule).map(\.count) == [32])
        #expect(try exit(1, schedule).map(\.count) == [32])
        #expect(places.used == 36)
    }

    @Test func `commands that differ have runs of their own`() throws {
        let schedule = Schedule(.init(readers: 20))
        try wait(schedule, "ps:report a")
        try wait(schedule, "ps:report a --running")
        try wait(schedule, "--quiet ps:report a")
        try wait(schedule, "ps:report a", isRestricted: true)
        try wait(schedule, "ps:report a") { $0.timeout = .seconds(1) }
        try wait(schedule, "ps:report a") { $0.separatesStreams = true }
        try wait(schedule, "ps:report a") { $0.input = .spool(Spool(account: .init(folder: "/", limit: 1))) }
        #expect(start(schedule).map(\.count) == Array(repeating: 1, count: 7))
    }

    @Test func `changes are never shared`() throws {
        let schedule = Schedule(.init(workers: 4))
        for _ in 0..<3 { try wait(schedule, "ps:rebuild a") }
        #expect(start(schedule) == [[1]])
        #expect(try exit(1, schedule) == [[2]])
    }

    @Test func `who waits for a change of its own shares no earlier run`() throws {
        let schedule = Schedule(.init(readers: 4))
        let one = submitter()
        try wait(schedule, "ps:rebuild a", one)
        #expect(start(schedule) == [[1]])
        try wait(schedule, "ps:report a", one)
        try wait(schedule, "ps:report a")
        #expect(start(schedule) == [[3]])
        #expect(try exit(1, schedule) == [[2]])
    }

    /// One that is held back in its connection's line, too.
    @Test func `a connection's own turns do not keep it from sharing`() throws {
        let schedule = Schedule(.init())
        let one = submitter()
        try wait(schedule, "plugin:update")
        #expect(start(schedule) == [[1]])
        for app in "abc" { try wait(schedule, "ps:report \(app)", one) }
        try wait(schedule, "ps:report c")
        #expect(try exit(1, schedule) == [[2]])
        #expect(try exit(2, schedule) == [[5, 4]])
        #expect(try exit(5, schedule) == [[3]])
    }

    // MARK: What waits for what

    private func obstacles(_ schedule: Schedule, isLocked: Bool = false) -> [Obstacle?] {
        schedule.obstacles(isLocked: isLocked).map(\.obstacle)
    }

    @Test func `one after another each waits for the one before`() throws {
        let schedule = Schedule(.init())
        for line in ["apps:create x", "apps:list", "ps:rebuild a", "apps:list"] { try wait(schedule, line) }
        #expect(obstacles(schedule, isLocked: true) == [.lock, .job(1), .job(2), .run(of: 2)])
        start(schedule)
        #expect(obstacles(schedule) == [.job(1), .job(2), .run(of: 2)])
    }

    @Test func `side by side each waits for what it must not run beside`() throws {
        let schedule = Schedule(.init(readers: 1, workers: 2))
        let one = submitter()
        for line in ["ps:rebuild a", "ps:rebuild b", "ps:report a"] { try wait(schedule, line) }
        start(schedule)
        try wait(schedule, "ps:rebuild c")
        try wait(schedule, "config:set a K=V", one)
        try wait(schedule, "plugin:update")
        try wait(schedule, "ps:rebuild d")
        try wait(schedule, "ps:report a", one)
        try wait(schedule, "ps:report d")
        #expect(obstacles(schedule) == [.job(5), .job(3), .turn, .job(1), .job(5), .job(6)])
    }

    @Test func `long lines delay nobody who asks for a place`() throws {
        let schedule = Schedule(.init())
        for number in 0..<8 {
            try wait(schedule, "apps:report \(number)" + String(repeating: "x", count: 1_000_000))
        }
        let last = try wait(schedule, "apps:list")
        let start = ContinuousClock.now
        for _ in 0..<500 { #expect(schedule.place(of: last, isLocked: false).position == 9) }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func `no more are said to share a run than do`() throws {
        let schedule = Schedule(.init(readers: 1))
        try wait(schedule, "ps:report a")
        start(schedule)
        for _ in 0..<40 { try wait(schedule, "apps:list") }
        let told = obstacles(schedule)
        #expect(told.count { $0 == .run(of: 2) } == 31 && told.count { $0 == .run(of: 34) } == 7)
        #expect(try exit(1, schedule) == [Array(2...33)])
        #expect(try exit(2, schedule) == [Array(34...41)])
    }

    @Test func `a place names what is in the way`() throws {
        let schedule = Schedule(.init())
        let jobs = try ["apps:create x", "apps:list", "apps:list"].map { try wait(schedule, $0) }
        #expect(
            jobs.map { schedule.place(of: $0, isLocked: false) } == [
                QueuePlace(position: 1, obstacle: nil), QueuePlace(position: 2, obstacle: .job(1)),
                QueuePlace(position: 3, obstacle: .run(of: 2)),
            ])
    }
}

// What is forgotten: by whom, when, and that nothing of it stays in the files.
import DokkuProtocol
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct ForgettingTests {
    private let desk: Desk

    init() throws { desk = try Desk() }

    private let restricted = Peer(pid: 1, uid: 2, gid: 3, listener: "/r", rules: ListenerRules(list: "ci"))

    private func end(
        _ archive: Archive, _ number: UInt64, after seconds: Int = 0, output: String = "",
        peer: Peer = .sample
    ) throws {
        try archive.insert(.sample(number, peer: peer), isRunning: true)
        try archive.append(output, to: number)
        var ending = KeptJob.Ending.sample()
        ending.date += seconds
        archive.markEnded(number, ending)
    }

    @Test func `a forgotten job is gone at once, and soon from the files, too`() throws {
        let archive = desk.open()
        let words: ArgumentList = ["config:set", "app", "KEY=secret-of-words"]
        let input = try archive.beginInput()
        try archive.append(Array("secret-of-input".utf8)[...], to: input)
        try archive.insert(.sample(1, .sample(words)), isRunning: true, input: input)
        try archive.append("secret-of-output", to: 1)
        #expect(try desk.holds("secret-of-words") && desk.holds("secret-of-input"))
        archive.markEnded(1, .sample())
        #expect(try archive.input(of: 1, from: 0) == [])
        try desk.settle(archive)
        // What is needed to run it again went with its end.
        #expect(try !desk.holds("secret-of-words") && !desk.holds("secret-of-input"))
        #expect(try desk.holds("secret-of-output") && archive.text(of: 1) == "secret-of-output")
        #expect(try archive.forget(1))
        #expect(archive.job(1) == nil && archive.jobs.isEmpty)
        #expect(throws: Refusal.unknownJob) { try archive.text(of: 1) }
        #expect(try !archive.forget(1))
        try desk.settle(archive)
        #expect(try !desk.holds("secret-of-output") && !desk.holds("config:set"))
    }

    @Test func `a job that waits or runs is not forgotten`() throws {
        let archive = desk.open()
        try archive.insert(.sample(1), isRunning: false)
        try archive.insert(.sample(2), isRunning: true)
        #expect(try !archive.forget(1) && !archive.forget(2))
        #expect(archive.jobs.count == 2)
    }

    @Test func `what was forgotten halfway is forgotten on after a start`() throws {
        let secret = String(repeating: "0123456789abcdef", count: 4096)
        try {
            let archive = desk.open()
            try archive.insert(.sample(1), isRunning: true)
            for _ in 0..<80 { try archive.append(secret, to: 1) }
            archive.markEnded(1, .sample())
            #expect(try archive.forget(1))
            // Some of the steps, but not all.
            let size = try desk.folder.status("jobs.db").st_size
            while try desk.folder.status("jobs.db").st_size == size { try desk.loop.turn(waiting: nil) }
            #expect(try desk.holds("0123456789abcdef0123"))
        }()
        let archive = desk.open()
        try desk.settle(archive)
        #expect(try !desk.holds("0123456789abcdef0123"))
        #expect(archive.jobs.isEmpty)
        // About a MiB stays for the next job.
        #expect(try desk.folder.status("jobs.db").st_size < 2 << 20)
    }

    @Test func `of too many jobs, those that ended first are forgotten`() throws {
        desk.limits.jobs = 3
        let archive = desk.open()
        try end(archive, 1, after: -1)
        try end(archive, 2, after: -3)
        try archive.insert(.sample(3), isRunning: false)
        try archive.insert(.sample(4), isRunning: false)
        #expect(archive.jobs.map(\.number) == [1, 3, 4])
        try archive.insert(.sample(5), isRunning: false)
        #expect(archive.jobs.map(\.number) == [3, 4, 5])
        do throws(Refusal) {
            try archive.insert(.sample(6), isRunning: false)
            Issue.record("a job too many")
        } catch {
            #expect(error.code == .queueFull)
        }
        #expect(archive.jobs.map(\.number) == [3, 4, 5] && archive.lastNumber == 5)
        archive.markEnded(4, .sample())
        try archive.insert(.sample(7), isRunning: false)
        #expect(archive.jobs.map(\.number) == [3, 5, 7])
    }

    @Test func `of too much output, that of jobs that ended first is forgotten`() throws {
        desk.limits.bytes = 200_000
        let archive = desk.open()
        try end(archive, 1, output: String(repeating: "1", count: 60_000))
        try end(archive, 2, after: -5, output: String(repeating: "2", count: 60_000))
        try archive.insert(.sample(3), isRunning: true)
        let part = String(repeating: "3", count: 60_000)
        try archive.append(part, to: 3)
        try archive.append(part, to: 3)
        #expect(archive.jobs.map(\.number) == [1, 3])
        let input = try archive.beginInput()
        try archive.append([UInt8](repeating: 4, count: 60_000)[...], to: input)
        #expect(archive.jobs.map(\.number) == [3])
        do throws(Refusal) {
            try archive.append(part, to: 3)
            Issue.record("too much output")
        } catch {
            #expect(error.code == .outputTruncated)
        }
        do throws(Refusal) {
            try archive.append([UInt8](repeating: 4, count: 60_000)[...], to: input)
            Issue.record("too much input")
        } catch {
            #expect(error.code == .inputTooLong)
        }
        #expect(archive.job(3)?.outputCount == 120_000 && input.count == 60_000)
        archive.drop(input)
        try archive.append(part, to: 3)
    }

    @Test(arguments: [true, false])
    func `lowered limits count from the start, step by step`(countsJobs: Bool) throws {
        try {
            desk.limits.jobs = 1000
            let archive = desk.open()
            for number in UInt64(1)...140 {
                try end(archive, number, after: -Int(number), output: String(repeating: "x", count: 1000))
            }
            try archive.insert(.sample(141), isRunning: false)
        }()
        if countsJobs { desk.limits.jobs = 5 } else { desk.limits.bytes = 5000 }
        let archive = desk.open()
        // Others have their steps in between.
        var counts: Set<Int> = []
        func watch() {
            counts.insert(archive.jobs.count)
            if archive.jobs.count > 5 { desk.turns.add(watch) }
        }
        watch()
        try desk.loop.turn(until: archive.jobs.count <= 5, "the end of what is too much")
        #expect(counts.isSuperset(of: [141, 77, 13]))
        #expect(archive.jobs.map(\.number) == [1, 2, 3, 4, 141])
    }

    @Test func `results of restricted sockets push out no more of others than their share`() throws {
        desk.limits.jobs = 8
        let archive = desk.open()
        for number in 1...4 { try end(archive, UInt64(number)) }
        for number in 5...20 { try end(archive, UInt64(number), peer: restricted) }
        #expect(archive.jobs.map(\.number) == [3, 4] + Array(15...20))
        // Others may push out theirs.
        for number in 21...23 { try end(archive, UInt64(number)) }
        #expect(archive.jobs.map(\.number) == Array(16...23))
    }

    @Test func `waiting jobs of restricted sockets leave places to others`() throws {
        desk.limits.jobs = 8
        let archive = desk.open()
        for number in 1...6 {
            try archive.insert(.sample(UInt64(number), peer: restricted), isRunning: false)
        }
        #expect(throws: Refusal.self) { try archive.insert(.sample(7, peer: restricted), isRunning: false) }
        for number in 7...8 { try archive.insert(.sample(UInt64(number)), isRunning: false) }
        #expect(throws: Refusal.self) { try archive.insert(.sample(9), isRunning: false) }
    }

    @Test func `the data of restricted sockets leave room to others`() throws {
        desk.limits.bytes = 400_000
        let part = String(repeating: "1", count: 60_000)
        try {
            let archive = desk.open()
            try end(archive, 1, output: part + part)
            try archive.insert(.sample(2, peer: restricted), isRunning: true)
            for _ in 0..<3 { try archive.append(part, to: 2) }
            let input = try archive.beginInput(isRestricted: true)
            try archive.append(Array(part.utf8)[...], to: input)
            #expect(throws: Refusal.self) { try archive.append(part, to: 2) }
            #expect(throws: Refusal.self) { try archive.append(Array(part.utf8)[...], to: input) }
            archive.drop(input)
            try archive.append(part, to: 2)
            #expect(archive.jobs.map(\.number) == [1, 2])
        }()
        let archive = desk.open()
        try archive.insert(.sample(3, peer: restricted), isRunning: true)
        // What the last daemon kept counts, too, and gives way.
        try archive.append(part, to: 3)
        #expect(archive.jobs.map(\.number) == [1, 3])
        let input = try archive.beginInput()
        for _ in 0..<4 { try archive.append(Array(part.utf8)[...], to: input) }
        #expect(archive.jobs.map(\.number) == [3])
    }

    @Test func `results are kept for their time`() throws {
        desk.limits.keep = .seconds(100)
        try {
            let archive = desk.open()
            try end(archive, 1, after: -99)
            try end(archive, 2, after: -200)
            try end(archive, 3)
            try archive.insert(.sample(4), isRunning: false)
            try desk.loop.turn(until: archive.job(2) == nil, "the end of an old result")
            #expect(archive.job(3) != nil && archive.job(4) != nil)
            try desk.loop.turn(until: archive.job(1) == nil, "the end of a result")
            #expect(archive.job(3) != nil && archive.job(4) != nil)
        }()
        desk.limits.keep = .zero
        let archive = desk.open()
        archive.markEnded(4, .sample())
        try archive.insert(.sample(5), isRunning: false)
        try desk.loop.turn(until: archive.job(4) == nil, "the end of a short time")
        #expect(archive.jobs.map(\.number) == [5])
    }

    @Test func `if the clock was set back, what has ended is not kept for years`() throws {
        desk.limits.jobs = 3
        try {
            let archive = desk.open()
            try end(archive, 1, after: 1_000_000_000)
            try end(archive, 2)
            try archive.insert(.sample(3), isRunning: false)
            try archive.insert(.sample(4), isRunning: false)
            // What ended first is forgotten first.
            #expect(archive.jobs.map(\.number) == [2, 3, 4])
            var ending = KeptJob.Ending.sample()
            ending.date += 1_000_000_000
            archive.markEnded(3, ending)
            #expect(archive.job(3)?.ending == ending)
        }()
        desk.limits.keep = .zero
        let archive = desk.open()
        let now = time(nil)
        #expect(archive.jobs.allSatisfy { $0.ending.map { $0.date <= now } ?? true })
        try desk.loop.turn(until: archive.jobs.map(\.number) == [4], "the end of a short time")
    }

    @Test func `what was forgotten last is overwritten before the process ends`() throws {
        let archive = desk.open()
        let secret = String(repeating: "0123456789abcdef", count: 4096)
        try archive.insert(.sample(1), isRunning: true)
        for _ in 0..<80 { try archive.append(secret, to: 1) }
        archive.markEnded(1, .sample())
        #expect(try archive.forget(1))
        #expect(try desk.holds("0123456789abcdef0123"))
        archive.finish()
        #expect(archive.isClean)
        #expect(try !desk.holds("0123456789abcdef0123"))
    }
}

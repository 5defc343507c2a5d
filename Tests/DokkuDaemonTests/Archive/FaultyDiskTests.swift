// A disk that fails once, and a daemon that is killed, at each write of the archive: what was accepted is there, what was
// refused is not.
import CFaultyDisk
import DokkuProtocol
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct FaultyDiskTests {
    /// What a client and the executor were told about a job.
    private enum Told: Equatable {
        case accepted, refused, running, ended, forgotten
    }

    /// All that an archive can do, and what it said.
    private final class Story {
        let archive: Archive
        let loop: EventLoop
        var told: [UInt64: Told] = [:]
        var output: [UInt64: String] = [:]
        /// The job of the last step.
        var current: UInt64 = 0
        /// Called after each step; false ends the story.
        let goesOn: () -> Bool

        init(_ desk: Desk, goesOn: @escaping () -> Bool) {
            archive = desk.open()
            loop = desk.loop
            self.goesOn = goesOn
        }

        func tell() {
            for number in UInt64(1)...4 where goesOn() { live(number) }
            for number in UInt64(1)...2 where goesOn() { forget(number) }
            for _ in 0..<20 where goesOn() { try? loop.turn(waiting: .milliseconds(2)) }
        }

        private func live(_ number: UInt64) {
            current = number
            let runsAtOnce = number == 2
            do throws(Refusal) {
                let input = try archive.beginInput()
                try archive.append([UInt8](repeating: 7, count: 9000)[...], to: input)
                do throws(Refusal) {
                    let words: ArgumentList = ["apps:create", String(repeating: "x", count: 5000)]
                    try archive.insert(.sample(number, .sample(words)), isRunning: runsAtOnce, input: input)
                } catch {
                    archive.drop(input)
                    throw error
                }
                told[number] = runsAtOnce ? .running : .accepted
            } catch {
                told[number] = .refused
            }
            guard goesOn(), number < 4, told[number] != .refused else { return }
            if !runsAtOnce {
                guard (try? archive.markRunning(number)) != nil else { return }
                told[number] = .running
            }
            guard goesOn() else { return }
            let text = "output of \(number)"
            if (try? archive.append(text, to: number)) != nil { output[number] = text }
            guard goesOn(), number != 3 else { return }
            archive.markEnded(number, .sample(.exited(Int32(number))))
            told[number] = .ended
        }

        private func forget(_ number: UInt64) {
            current = number
            if (try? archive.forget(number)) == true { told[number] = .forgotten }
        }
    }

    /// Whether an archive, opened anew, knows what was told. `last` is the job of a call that never returned.
    private func compare(
        _ archive: Archive, _ told: [UInt64: Told], _ output: [UInt64: String], last: UInt64? = nil,
        _ what: String
    ) throws {
        let waiting = archive.takeWaiting()
        for (number, told) in told where number != last {
            let kept = archive.job(number)
            switch told {
            case .refused, .forgotten: #expect(kept == nil, "\(what): \(number) \(told)")
            case .accepted:
                #expect(kept?.state == .waiting, "\(what): \(number)")
                let stored = try #require(waiting.first { $0.0.number == number }, "\(what)").1
                #expect(stored.words.count == 2 && stored.words[1].count == 5000, "\(what)")
                var input = 0
                var position = 0
                while case let piece = try archive.input(of: number, from: position), !piece.isEmpty {
                    position += 1
                    input += piece.count
                }
                #expect(input == 9000, "\(what)")
            case .running: #expect(kept?.ending?.failure == .ended(.interrupted), "\(what): \(number)")
            case .ended: #expect(kept?.ending?.status == .exited(Int32(number)), "\(what): \(number)")
            }
            if kept != nil {
                #expect(try archive.text(of: number) == output[number] ?? "", "\(what): \(number)")
            }
        }
        #expect(archive.jobs.allSatisfy { told[$0.number] != nil }, "\(what)")
    }

    /// How many writes, syncs and truncations a story has.
    private func length() throws -> Int {
        let desk = try Desk()
        let story = Story(desk) { true }
        story.tell()
        #expect(desk.complaints.texts == [])
        #expect(story.told == [1: .forgotten, 2: .forgotten, 3: .running, 4: .accepted])
        return faulty_disk_count(desk.disk)
    }

    @Test func `what fails once is refused, and the rest is as it should be`() throws {
        let length = try length()
        #expect(length > 40)
        for first in 1...length {
            let desk = try Desk()
            faulty_disk_arm(desk.disk, first, 1)
            var told: [UInt64: Told] = [:]
            var output: [UInt64: String] = [:]
            try {
                let story = Story(desk) { true }
                story.tell()
                // What could not be written is tried again.
                try desk.loop.turn(
                    until: !story.archive.hasUnwrittenEnds, "the end of a job in the file")
                (told, output) = (story.told, story.output)
                for case (let number, .ended) in told {
                    #expect(story.archive.job(number)?.ending?.status == .exited(Int32(number)))
                }
            }()
            try compare(desk.open(), told, output, "write \(first) failed")
        }
    }

    /// The process is gone right after a step that failed: what it refused must not come back.
    @Test func `what was refused does not come back after a KILL`() throws {
        for first in 1...(try length()) {
            let desk = try Desk()
            faulty_disk_arm(desk.disk, first, 1)
            var told: [UInt64: Told] = [:]
            var output: [UInt64: String] = [:]
            {
                let story = Story(desk) { faulty_disk_count(desk.disk) < first }
                story.tell()
                (told, output) = (story.told, story.output)
                // The end of a job is never refused, but written later.
                if story.archive.hasUnwrittenEnds { told[story.current] = .running }
            }()
            try compare(desk.open(), told, output, "write \(first) failed, and a KILL")
        }
    }

    /// Nothing is written any more from some moment on, as if the process had been killed then.
    @Test func `a KILL at any moment loses nothing that was accepted`() throws {
        for first in 1...(try length()) {
            let desk = try Desk()
            faulty_disk_arm(desk.disk, first, .max)
            var told: [UInt64: Told] = [:]
            var output: [UInt64: String] = [:]
            var last: UInt64 = 0
            {
                let story = Story(desk) { faulty_disk_count(desk.disk) < first }
                story.tell()
                (told, output) = (story.told, story.output)
                last = story.current
            }()
            faulty_disk_arm(desk.disk, 0, 0)
            // The last step never returned, so what it says counts for nothing.
            try compare(desk.open(), told, output, last: last, "a KILL at write \(first)")
        }
    }

    /// Kept jobs alone have filled the disk. Forgetting needs room as well.
    @Test func `a disk that kept jobs have filled can be left`() throws {
        let desk = try Desk()
        faulty_disk_limit(desk.disk, 20 << 20)
        let archive = desk.open()
        try archive.insert(.sample(1), isRunning: true)
        try archive.insert(.sample(2), isRunning: true)
        let part = String(repeating: "0123456789abcdef", count: 4096)
        var parts = 0
        var cut: Refusal?
        while cut == nil, parts < 1000 {
            do throws(Refusal) {
                try archive.append(part, to: 1)
                parts += 1
            } catch {
                cut = error
            }
        }
        #expect(cut?.code == .outputTruncated && parts > 100, "\(parts)")
        archive.markEnded(1, .sample())
        archive.markEnded(2, .sample())
        #expect(!archive.hasUnwrittenEnds)
        #expect(try archive.forget(2) && archive.forget(1))
        try desk.settle(archive)
        #expect(try !desk.holds("0123456789abcdef0123"))
        #expect(try desk.folder.status("jobs.db").st_size < 2 << 20)
        #expect(try desk.folder.status("jobs.reserve").st_size == 8 << 20)
        try archive.insert(.sample(3), isRunning: true)
        for _ in 0..<100 { try archive.append(part, to: 3) }
    }

    @Test func `a full disk is said once, and jobs are kept again when there is room`() throws {
        let desk = try Desk()
        let archive = desk.open()
        try archive.insert(.sample(1), isRunning: true)
        faulty_disk_arm(desk.disk, 1, .max)
        for _ in 0..<3 {
            do throws(Refusal) {
                try archive.insert(.sample(2), isRunning: false)
                Issue.record("a job on a full disk")
            } catch {
                #expect(error.code == .storageFailed && error.text.contains("full"))
            }
            do throws(Refusal) {
                try archive.append("x", to: 1)
                Issue.record("output on a full disk")
            } catch {
                #expect(error.code == .outputTruncated && error.text.contains("full"))
            }
        }
        archive.markEnded(1, .sample(.exited(9)))
        #expect(archive.job(1)?.ending?.status == .exited(9) && archive.hasUnwrittenEnds)
        #expect(throws: Refusal.self) { try archive.forget(1) }
        #expect(archive.job(1) != nil && archive.lastNumber == 1)
        #expect(desk.complaints.texts.count == 1, "\(desk.complaints.texts)")
        faulty_disk_arm(desk.disk, 0, 0)
        try desk.loop.turn(until: !archive.hasUnwrittenEnds, "the end of a job in the file")
        try archive.insert(.sample(2), isRunning: false)
        #expect(try archive.forget(1))
        try desk.settle(archive)
    }
}

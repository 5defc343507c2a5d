// The wait for the lock by itself: when it is tried again, what is known of its holder, and when it is complained of.
import Foundation
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite final class LockTurnTests {
    private let folder: Folder
    private let other: CommandLock
    private let timers = TimerQueue()
    private let lock: CommandLock
    private let turn: LockTurn
    private let said = Said()
    private var retries = 0

    private final class Said { var lines: [String] = [] }

    init() throws {
        folder = try Folder()
        other = CommandLock(path: folder.path("lock"))
        lock = CommandLock(path: folder.path("lock"))
        turn = LockTurn(lock, timers: timers) { [said] in
            said.lines.append($0)
        }
    }

    private func enter() throws -> Bool { try turn.enter { [unowned self] in retries += 1 } }

    /// One attempt more, as the executor makes it when it is told to try again.
    private func tryAgain() throws -> Bool {
        timers.fire(until: .now + .milliseconds(101))
        return try enter()
    }

    private var hasTimer: Bool { timers.millisecondsToNext(limit: nil) >= 0 }

    @Test func `a free lock is taken at once`() throws {
        #expect(turn.number == -1)
        #expect(try enter())
        #expect(turn.number >= 0 && turn.wait == nil && !hasTimer)
        #expect(try !other.acquire())
        turn.leave(next: nil)
        #expect(turn.number == -1)
        #expect(try other.acquire())
    }

    @Test func `a lock that somebody else has is tried again a tenth of a second later`() throws {
        #expect(try other.acquire())
        let before = Instant.now
        #expect(try !enter())
        #expect(turn.wait?.path == folder.path("lock") && turn.wait?.holder?.pid == getpid())
        timers.fire(until: before + .milliseconds(99))
        #expect(retries == 0)
        timers.fire(until: .now + .milliseconds(101))
        #expect(retries == 1)
        other.release()
        #expect(try enter())
        #expect(turn.wait == nil && !hasTimer)
    }

    @Test func `giving up cancels the next attempt`() throws {
        #expect(try other.acquire())
        #expect(try !enter())
        turn.giveUp()
        #expect(turn.wait == nil && !hasTimer)
        timers.fire(until: .now + .seconds(1))
        #expect(retries == 0)
        #expect(turn.number == -1)
    }

    @Test func `a wait of ten seconds is complained of once and each wait anew`() throws {
        for wait in 1...2 {
            #expect(try other.acquire())
            #expect(try !enter())
            for _ in 0..<98 { #expect(try !tryAgain()) }
            #expect(said.lines.count == wait - 1)
            for _ in 0..<200 { #expect(try !tryAgain()) }
            #expect(said.lines.count == wait)
            #expect(
                said.lines.last?.hasPrefix("the next command waits for the lock \(other.path), held by")
                    == true)
            other.release()
            #expect(try tryAgain())
            turn.leave(next: nil)
        }
    }

    @Test func `the holder is looked up again with every tenth attempt`() throws {
        #expect(try other.acquire())
        #expect(try !enter())
        let since = turn.wait?.since
        // It is in the queue of the lock, or comes to it free: either way it has it in the end.
        let next = Process()
        let (input, output) = (Pipe(), Pipe())
        next.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        next.arguments = [other.path, "sh", "-c", "echo held; read -r line"]
        next.standardInput = input
        next.standardOutput = output
        try next.run()
        other.release()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "held\n")
        for _ in 2...10 {
            #expect(try !tryAgain())
            #expect(turn.wait?.holder?.pid == getpid())
        }
        #expect(try !tryAgain())
        #expect(turn.wait?.holder?.pid == next.processIdentifier && turn.wait?.since == since)
        input.fileHandleForWriting.closeFile()
        next.waitUntilExit()
        #expect(try tryAgain())
    }

    @Test func `several commands hold it until the last one leaves`() throws {
        for _ in 0..<3 { #expect(try enter()) }
        turn.leave(next: nil)
        turn.leave(next: nil)
        #expect(try !other.acquire())
        turn.leave(next: nil)
        #expect(try other.acquire())
        #expect(retries == 0 && !hasTimer)
    }

    /// Waits for the lock in a process of its own, until `input` is closed.
    private func outsider() throws -> (process: Process, input: Pipe) {
        let process = Process()
        let input = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        process.arguments = [other.path, "cat"]
        process.standardInput = input
        try process.run()
        let end = ContinuousClock.now + .seconds(60)
        while lock.waiter() == nil {
            if ContinuousClock.now > end { throw Overdue(what: "a process that waits for the lock") }
            usleep(1000)
        }
        return (process, input)
    }

    @Test func `nobody enters beside others while a process outside waits`() throws {
        #expect(try enter())
        let outside = try outsider()
        #expect(try !enter())
        #expect(turn.wait == nil, "the command waits for the others, not for the lock")
        turn.leave(next: { [unowned self] in retries += 1 })
        #expect(turn.wait?.holder?.pid == outside.process.processIdentifier && hasTimer)
        #expect(try !enter())
        timers.fire(until: .now + .milliseconds(101))
        #expect(retries == 1)
        outside.input.fileHandleForWriting.closeFile()
        outside.process.waitUntilExit()
        #expect(try enter())
    }

    /// Nobody else wants it, so it is free at once.
    @Test func `the last of all waits for nobody`() throws {
        #expect(try enter())
        let outside = try outsider()
        turn.leave(next: nil)
        #expect(turn.wait == nil && !hasTimer)
        outside.input.fileHandleForWriting.closeFile()
        outside.process.waitUntilExit()
        #expect(try enter())
    }

    @Test func `a lock file that cannot be opened is an error and no wait`() throws {
        symlink("elsewhere", folder.path("lock"))
        #expect(throws: SystemError.self) { try enter() }
        #expect(turn.wait == nil && !hasTimer && said.lines == [])
    }
}

// What the next start knows of commands that the daemon's end interrupted.
import Foundation
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct RunningRecordTests {
    private let folder: Folder
    private let executor: RecordedExecutor

    init() throws {
        folder = try Folder()
        let records = CommandRecords(
            log: AuditLog(path: folder.path + "/log") { _ in }, journal: nil,
            running: try RunningRecord(folder: folder.path))
        executor = try RecordedExecutor(records, folder: folder)
    }

    /// What a start would find if the daemon ended right now.
    private func interrupted() throws -> [InterruptedCommand] {
        let later = try Folder()
        try FileManager.default.copyItem(atPath: "\(folder.path)/running", toPath: "\(later.path)/running")
        let found = try #require(try RunningRecord(folder: later.path)?.interrupted)
        #expect(try later.read("running").isEmpty, "told once")
        return found
    }

    @Test func `nothing is left of a command that ended`() throws {
        try executor.run("exit 0")
        try executor.run("exit 1")
        #expect(try interrupted().isEmpty)
    }

    @Test func `a running command is found and a waiting one is not`() throws {
        try executor.run("exit 0")
        let build = try executor.submit("exec sleep 60", as: ["ps:rebuild", "app", "a b"])
        let waiting = try executor.submit("exit 0", as: ["apps:create", "later"])
        let follower = try executor.submit("exec sleep 60", as: ["logs", "app", "-t"], lane: .follow)
        #expect(
            try interrupted() == [
                InterruptedCommand(number: 2, title: #"-c "exec sleep 60" ps:rebuild app "a b""#),
                InterruptedCommand(number: 4, title: #"-c "exec sleep 60" logs app -t"#),
            ])
        executor.executor.terminateRunning()
        for job in [build, waiting, follower] { try executor.finish(job) }
        #expect(try interrupted().isEmpty)
    }

    @Test func `a slot is used again`() throws {
        let words = [String](repeating: "long", count: 1000)
        let long = try executor.submit("exec sleep 60", as: ["apps:list"] + words)
        let second = try executor.submit("exec sleep 60", as: ["events"], lane: .follow)
        #expect(try interrupted().map(\.number) == [1, 2])
        long.interrupt(Refusal(code: .cancelled, text: ""))
        try executor.finish(long)
        #expect(try interrupted() == [InterruptedCommand(number: 2, title: second.title)])
        let short = try executor.submit("exec sleep 60")
        #expect(
            try interrupted() == [
                InterruptedCommand(number: 3, title: short.title),
                InterruptedCommand(number: 2, title: second.title),
            ])
        executor.executor.terminateRunning()
    }

    @Test func `a record belongs to one daemon alone`() throws {
        let second = try RunningRecord(folder: folder.path)
        #expect(second == nil)
    }

    @Test(arguments: ["", "\n", "x", "12", "12 ", "of another kind\n", String(repeating: "\0", count: 5000)])
    func `a file that is no record reads as nothing`(contents: String) throws {
        let other = try Folder()
        try contents.write(toFile: "\(other.path)/running", atomically: false, encoding: .utf8)
        #expect(try RunningRecord(folder: other.path)?.interrupted.isEmpty == true)
    }

    @Test func `the log and the journal say what was running`() throws {
        let other = try Folder()
        try "7 apps:create x\n".write(toFile: "\(other.path)/running", atomically: false, encoding: .utf8)
        let socket = JournalSocket("\(other.path)/journal")
        _ = CommandRecords(
            log: AuditLog(path: "\(other.path)/log") { _ in },
            journal: SystemJournal(path: "\(other.path)/journal") { _ in },
            running: try RunningRecord(folder: other.path))
        #expect(
            try other.read("log").hasSuffix(
                "[res] #7 error=interrupted by the end of the daemon: apps:create x\n"))
        let entry = try #require(socket.entries().first)
        #expect(entry["DOKKU_JOB"] == "7")
        #expect(entry["DOKKU_COMMAND"] == "apps:create x")
        #expect(entry["DOKKU_ERROR"] == "interrupted")
        #expect(entry["PRIORITY"] == "4")
    }
}

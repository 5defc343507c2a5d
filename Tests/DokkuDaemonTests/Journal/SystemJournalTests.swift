// What the journal gets to know of a command, and what it costs nobody when the journal is full or away.
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct SystemJournalTests {
    private let folder: Folder

    init() throws { folder = try Folder() }
    private var path: String { "\(folder.path)/journal" }

    private final class Complaints { var texts: [String] = [] }
    private let complaints = Complaints()

    private func makeExecutor() throws -> RecordedExecutor {
        let complaints = complaints
        return try RecordedExecutor(
            CommandRecords(
                log: AuditLog(path: nil) { _ in },
                journal: SystemJournal(path: path) { complaints.texts.append($0) },
                running: nil),
            folder: folder)
    }

    @Test func `a command has an entry at its beginning and one at its end`() throws {
        let journal = JournalSocket(path)
        try makeExecutor().run("exit 20", as: ["apps:report", "nope"])
        var (first, second) = try #require(journal.entries().pair)
        let duration = try #require(second.removeValue(forKey: "DOKKU_DURATION_USEC").flatMap(Int.init))
        #expect((1...60_000_000).contains(duration))
        #expect(first.removeValue(forKey: "MESSAGE_ID") != second.removeValue(forKey: "MESSAGE_ID"))
        let title = #"-c "exit 20" apps:report nope"#
        var common = [
            "SYSLOG_IDENTIFIER": "dokku-daemon", "DOKKU_JOB": "1", "DOKKU_COMMAND": title,
            "DOKKU_CLIENT_PID": "11", "DOKKU_CLIENT_UID": "22", "DOKKU_CLIENT_GID": "33",
            "DOKKU_LISTENER": "/s",
        ]
        common["PRIORITY"] = "6"
        common["MESSAGE"] = "#1 accepted: \(title)"
        #expect(first == common)
        common["PRIORITY"] = "5"
        common["MESSAGE"] = "#1 ended with status 20: \(title)"
        common["DOKKU_EXIT_STATUS"] = "20"
        #expect(second == common)
    }

    /// As it is, so that it can be searched for.
    @Test func `a client's control group is a field of both`() throws {
        let journal = JournalSocket(path)
        let executor = try makeExecutor()
        let group = #"/system.slice/a\x2db.service"#
        try executor.finish(executor.submit("exit 0", cgroup: group))
        #expect(journal.entries().map { $0["DOKKU_CLIENT_CGROUP"] } == [group, group])
        try executor.run("exit 0")
        #expect(journal.entries().map { $0["DOKKU_CLIENT_CGROUP"] } == [nil, nil])
    }

    @Test func `the beginning is written before the command starts`() throws {
        let journal = JournalSocket(path)
        let executor = try makeExecutor()
        let job = try executor.submit("exit 0")
        #expect(journal.entries().count == 1)
        try executor.finish(job)
        #expect(journal.entries().count == 1)
    }

    @Test func `a signal and a reason are fields`() throws {
        let journal = JournalSocket(path)
        let executor = try makeExecutor()
        let job = try executor.submit("exec sleep 60")
        job.interrupt(Refusal(code: .timeout, text: "too long"))
        try executor.finish(job)
        try executor.run("kill -KILL $$")
        let ends = journal.entries().filter { $0["DOKKU_DURATION_USEC"] != nil }
        let first = try #require(ends.first)
        #expect(first["DOKKU_SIGNAL"] == "SIGTERM")
        #expect(first["DOKKU_ERROR"] == "timeout")
        #expect(first["DOKKU_EXIT_STATUS"] == nil)
        #expect(ends.last?["DOKKU_SIGNAL"] == "SIGKILL")
        #expect(ends.last?["DOKKU_ERROR"] == nil)
    }

    @Test func `a value with a line feed goes with its length`() throws {
        let journal = JournalSocket(path)
        try makeExecutor().run("exit 0", listener: "/a\nPRIORITY=0\nb")
        let (first, second) = try #require(journal.entries().pair)
        #expect(first["DOKKU_LISTENER"] == "/a\nPRIORITY=0\nb")
        #expect(first["PRIORITY"] == "6")
        #expect(second["DOKKU_JOB"] == "1")
    }

    @Test func `a long value is cut`() throws {
        let journal = JournalSocket(path)
        try makeExecutor().run("exit 0", listener: String(repeating: "x", count: 1_000_000))
        let (first, second) = try #require(journal.entries().pair)
        #expect(first["DOKKU_LISTENER"]?.utf8.count == JournalEntry.valueLimit)
        #expect(second["DOKKU_EXIT_STATUS"] == "0")
    }

    @Test func `entries that a full journal does not take are counted and reported`() throws {
        let journal = JournalSocket(path)
        let executor = try makeExecutor()
        var written = 0
        // Nobody reads: in the end there is no room, and that must not be waited for.
        while complaints.texts.isEmpty {
            try executor.run("exit 0")
            written += 2
            try #require(written < 100_000)
        }
        try executor.run("exit 0")
        let taken = journal.entries().count
        try executor.run("exit 0")
        let later = journal.entries()
        #expect(later.count == 3)
        #expect(later.first?["DOKKU_LOST"] == "\(written + 2 - taken)")
        #expect(later.first?["MESSAGE"] == "\(written + 2 - taken) entries were lost here")
        #expect(later.last?["DOKKU_EXIT_STATUS"] == "0")
        #expect(complaints.texts.count == 1)
    }

    @Test func `a journal that was away is found again`() throws {
        let executor = try makeExecutor()
        try executor.run("exit 0")
        #expect(complaints.texts.count == 1)
        let late = JournalSocket(path)
        try executor.run("exit 0")
        #expect(late.entries().map { $0["DOKKU_LOST"] } == ["2", nil, nil])
        let another = JournalSocket(path)
        try withExtendedLifetime(late) { try executor.run("exit 0") }
        #expect(late.entries().count + another.entries().count == 2)
    }

    @Test func `a journal that is started anew loses nothing`() throws {
        let executor = try makeExecutor()
        do {
            let first = JournalSocket(path)
            try executor.run("exit 0")
            #expect(first.entries().count == 2)
        }
        let second = JournalSocket(path)
        try executor.run("exit 0")
        #expect(second.entries().count == 2)
        #expect(complaints.texts.isEmpty)
    }
}

extension Array {
    fileprivate var pair: (Element, Element)? { count == 2 ? (self[0], self[1]) : nil }
}

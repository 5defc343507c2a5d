// Kept jobs: what comes back after the end of a daemon, what is refused, and what is forgotten.
import DokkuProtocol
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct ArchiveTests {
    private let folder: Folder
    private let loop: EventLoop

    init() throws {
        folder = try Folder()
        loop = try EventLoop()
    }

    private func open(
        keep: Duration = .seconds(3600), jobs: Int = 100, bytes: Int = 1 << 30,
        _ complain: @escaping (String) -> Void = { Issue.record("\($0)") }
    ) -> Archive {
        Archive(
            folder: folder.path, limits: Archive.Limits(keep: keep, jobs: jobs, bytes: bytes),
            timers: loop.timers, patience: .milliseconds(1), complain: complain)
    }

    @Test func `there is no file before the first job`() throws {
        let archive = open()
        #expect(archive.lastNumber == 0 && archive.jobs.isEmpty && archive.takeWaiting().isEmpty)
        #expect(!folder.has("jobs.db"))
        try archive.insert(.sample(7), isRunning: false)
        #expect(archive.lastNumber == 7)
        for name in ["jobs.db", "jobs.db-wal"] { #expect(try folder.status(name).st_mode & 0o777 == 0o600) }
        #expect(!folder.has("jobs.db-shm"))
    }

    @Test func `what waits comes back, in order and as it was`() throws {
        do {
            let archive = open()
            try archive.insert(.sample(3, .sample(["apps:create", "", "a b", "ü"])), isRunning: false)
            try archive.insert(.sample(4), isRunning: false)
        }
        let archive = open()
        let waiting = archive.takeWaiting()
        #expect(waiting.map(\.0.number) == [3, 4])
        #expect(waiting.first?.1.words == ["apps:create", "", "a b", "ü"])
        #expect(archive.takeWaiting().isEmpty)
    }
}

// A file that cannot be used: jobs are refused, the file stays as it is, and the daemon says so once.
import CSQLite
import DokkuProtocol
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct BrokenFileTests {
    private let desk: Desk

    init() throws { desk = try Desk() }

    private func refusal(_ archive: Archive, _ number: UInt64 = 50) -> Refusal? {
        do throws(Refusal) {
            try archive.insert(.sample(number), isRunning: false)
            return nil
        } catch {
            return error
        }
    }

    private func expectUnusable(_ reason: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let archive = desk.open()
        for _ in 0..<2 {
            let refusal = refusal(archive)
            #expect(refusal?.code == .storageFailed, sourceLocation: sourceLocation)
            #expect(
                refusal?.text.contains(reason) == true, "\(refusal?.text ?? "")",
                sourceLocation: sourceLocation)
        }
        #expect(throws: Refusal.self) { try archive.prepare() }
        #expect(throws: Refusal.self) { _ = try archive.beginInput() }
        #expect(archive.jobs.isEmpty && archive.lastNumber == 0 && archive.takeWaiting().isEmpty)
        // Whether there is such a job is not known.
        do throws(Refusal) {
            _ = try archive.find(1)
        } catch {
            #expect(error.code == .storageFailed, sourceLocation: sourceLocation)
        }
        #expect(throws: Refusal.self) { try archive.forget(1) }
        #expect(desk.complaints.texts.count == 1, sourceLocation: sourceLocation)
        #expect(desk.complaints.texts.first?.contains(reason) == true, sourceLocation: sourceLocation)
    }

    /// The files of an archive with a job that waits.
    private func fill() throws { try desk.open().insert(.sample(1), isRunning: false) }

    @Test(arguments: [1, 1000]) func `a file of something else is not touched`(lines: Int) throws {
        let text = String(repeating: "not a database\n", count: lines)
        try desk.folder.write(text, to: "jobs.db")
        expectUnusable("not")
        #expect(try desk.folder.read("jobs.db") == text)
    }

    @Test func `another program's database is not touched`() throws {
        try desk.folder.write("", to: "jobs.db")
        try Database(path: desk.folder.path("jobs.db")).execute("CREATE TABLE precious (x)")
        let before = try desk.folder.bytes("jobs.db")
        expectUnusable("not the daemon's")
        #expect(try desk.folder.bytes("jobs.db") == before)
    }

    @Test func `a newer version's file is not touched`() throws {
        try fill()
        try {
            let database = try Database(path: desk.folder.path("jobs.db"))
            try database.execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA user_version=2")
        }()
        let before = (try desk.folder.bytes("jobs.db"), try desk.folder.bytes("jobs.db-wal"))
        expectUnusable("newer version")
        #expect(try before == (desk.folder.bytes("jobs.db"), desk.folder.bytes("jobs.db-wal")))
    }

    @Test func `a damaged file is refused`() throws {
        try fill()
        try {
            let database = try Database(path: desk.folder.path("jobs.db"))
            try database.execute("PRAGMA locking_mode=EXCLUSIVE")
            #expect(try database.number("SELECT count(*) FROM job") == 1)
            try database.emptyLog()
        }()
        var bytes = try desk.folder.bytes("jobs.db")
        for index in 4096..<bytes.count { bytes[index] = 0xA5 }
        try desk.folder.write(bytes, to: "jobs.db")
        expectUnusable("malformed")
        #expect(try desk.folder.bytes("jobs.db") == bytes)
    }

    @Test(arguments: ["link", "FIFO", "folder"]) func `only a regular file is opened`(kind: String) throws {
        switch kind {
        case "link":
            try desk.folder.write("", to: "elsewhere")
            symlink(desk.folder.path("elsewhere"), desk.folder.path("jobs.db"))
        case "FIFO": mkfifo(desk.folder.path("jobs.db"), 0o600)
        default: try desk.folder.makeFolder("jobs.db")
        }
        expectUnusable("no regular file")
        if kind == "link" { #expect(try desk.folder.read("elsewhere") == "") }
    }

    @Test func `a missing folder is said once`() throws {
        rmdir(desk.folder.path)
        let archive = desk.open()
        #expect(refusal(archive)?.text.contains("No such file") == true)
        #expect(refusal(archive)?.code == .storageFailed)
        #expect(desk.complaints.texts.count == 1)
        mkdir(desk.folder.path, 0o700)
        #expect(refusal(archive) == nil)
    }

    @Test(arguments: ["jobs.db", "jobs.db-wal"], [true, false])
    func `nothing is written into a file that is not there any more`(name: String, isReplaced: Bool) throws {
        let archive = desk.open()
        try archive.insert(.sample(1), isRunning: false)
        unlink(desk.folder.path(name))
        if isReplaced { try desk.folder.write("", to: name) }
        #expect(refusal(archive)?.code == .storageFailed)
        #expect(refusal(archive)?.text.contains("removed or replaced") == true)
        #expect(archive.jobs.map(\.number) == [1] && archive.lastNumber == 1)
        #expect(desk.complaints.texts.count == 1)
        if isReplaced { #expect(try desk.folder.read(name) == "") }
    }

    @Test func `a file that was put back is for the daemon's user alone`() throws {
        try fill()
        let names = ["jobs.db", "jobs.db-wal"]
        for name in names { chmod(desk.folder.path(name), 0o644) }
        #expect(desk.open().takeWaiting().count == 1)
        for name in names { #expect(try desk.folder.status(name).st_mode & 0o777 == 0o600) }
    }

    @Test func `an empty file that a crash left behind is used`() throws {
        try desk.folder.write("", to: "jobs.db", mode: 0o600)
        try fill()
        #expect(desk.open().takeWaiting().count == 1)
    }

    /// It was not there, or could not be used, when this daemon began to give numbers.
    @Test func `a file with numbers that were given to other jobs is not used`() throws {
        try fill()
        let numbers = JobNumbers()
        numbers.giveNext()
        do {
            let archive = desk.open(numbers: numbers)
            #expect(refusal(archive)?.text.contains("restart the daemon") == true)
            #expect(archive.jobs.isEmpty && desk.complaints.texts.count == 1)
        }
        #expect(desk.open().takeWaiting().map(\.0.number) == [1])
    }

    @Test func `numbers that cannot be read are passed over`() throws {
        try fill()
        let kept = try desk.folder.bytes("jobs.db")
        try desk.folder.write("not a database", to: "jobs.db")
        let numbers = JobNumbers()
        let archive = desk.open(numbers: numbers)
        #expect(numbers.next > 1_000_000_000_000)
        numbers.giveNext()
        try desk.folder.write(kept, to: "jobs.db")
        try desk.loop.turn(until: archive.lastNumber == 1, "the file")
        #expect(archive.takeWaiting().map(\.0.number) == [1] && numbers.next > 1_000_000_000_000)
        try archive.insert(.sample(numbers.next), isRunning: false)
    }

    private final class Owner: ArchiveOwner {
        var openings = 0
        func archiveDidOpen() { openings += 1 }
    }

    @Test func `a file that was put back after the start is used`() throws {
        try fill()
        let kept = try desk.folder.bytes("jobs.db")
        unlink(desk.folder.path("jobs.db"))
        let archive = desk.open()
        let owner = Owner()
        archive.start(owner: owner)
        try desk.folder.write(kept, to: "jobs.db")
        try archive.prepare()
        #expect(owner.openings == 1 && archive.takeWaiting().map(\.0.number) == [1])
    }

    /// The locks are a process's (fcntl(2)), so only another process can hold one.
    @Test func `a file that another process has locked is opened when it is free`() throws {
        try fill()
        var ends: [Int32] = [-1, -1]
        _ = try checked("pipe", pipe(&ends))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let program = """
            import fcntl, os, sys, time
            file = os.open(sys.argv[1], os.O_RDWR)
            fcntl.lockf(file, fcntl.LOCK_EX, 2, 0x40000000)
            fcntl.lockf(file, fcntl.LOCK_EX, 510, 0x40000002)
            print("locked", flush=True)
            time.sleep(1000)
            """
        let words: ArgumentList = ["python3", "-c", program, desk.folder.path("jobs.db")]
        var child: pid_t = 0
        let status = words.withArgumentVector(after: []) {
            posix_spawnp(&child, "python3", &actions, nil, $0, environ)
        }
        try #require(status == 0)
        close(ends[1])
        var byte: UInt8 = 0
        #expect(read(ends[0], &byte, 1) == 1)
        close(ends[0])
        let archive = desk.open()
        let owner = Owner()
        archive.start(owner: owner)
        #expect(refusal(archive)?.text.contains("another process") == true)
        kill(child, SIGKILL)
        waitpid(child, nil, 0)
        try desk.loop.turn(until: owner.openings > 0, "the file")
        #expect(archive.takeWaiting().map(\.0.number) == [1] && archive.lastNumber == 1)
        #expect(refusal(archive) == nil && owner.openings == 1 && desk.complaints.texts.count == 1)
    }
}

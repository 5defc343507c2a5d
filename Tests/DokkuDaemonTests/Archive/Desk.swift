// An archive in a folder of its own, as a daemon uses it, and what can happen to it.
import CFaultyDisk
import DokkuProtocol
import Glibc
import struct Foundation.Data
import TestSupport
import Testing

@testable import DokkuDaemon

/// Notes what an archive complains about.
final class Complaints {
    var texts: [String] = []
}

/// Where a test keeps its archives, one after another.
final class Desk {
    let folder: Folder
    let loop: EventLoop
    let turns: Turns
    let disk: OpaquePointer
    let complaints = Complaints()
    var limits = KeepLimits(keep: .seconds(3600), jobs: 100, bytes: 1 << 30)

    init() throws {
        folder = try Folder()
        loop = try EventLoop()
        turns = Turns(timers: loop.timers)
        disk = faulty_disk_make(folder.path + "/")
    }

    deinit { faulty_disk_remove(disk) }

    /// The next daemon. The archive before it must be gone.
    func open(numbers: JobNumbers = JobNumbers()) -> Archive {
        let archive = Archive(
            folder: folder.path, limits: limits, numbers: numbers, timers: loop.timers, turns: turns,
            patience: .milliseconds(1)
        ) { [complaints] in complaints.texts.append($0) }
        archive.start()
        return archive
    }

    /// Turns the loop until everything forgotten is overwritten.
    func settle(_ archive: Archive) throws {
        try loop.turn(until: archive.isClean, "the end of what was forgotten")
    }

    /// Whether the bytes of a text are anywhere in the files.
    func holds(_ text: String) throws -> Bool {
        try ["jobs.db", "jobs.db-wal"].contains { name in
            Data(try folder.bytes(name)).range(of: Data(text.utf8)) != nil
        }
    }
}

extension Archive {
    /// Everything that is kept of jobs, for comparing.
    func contents() throws -> [String] {
        try jobs.map { kept in
            let pieces = try output(of: kept.number, from: 0, limit: .max).map { stream, bytes in
                "\(stream == .standardOutput ? "out" : "err") \(String(decoding: bytes.prefix(20), as: UTF8.self))"
            }
            return "\(kept) \(pieces)"
        }
    }

    func append(_ text: String, _ stream: OutputStream = .standardOutput, to number: UInt64) throws(Refusal) {
        try append(Array(text.utf8).span, stream: stream, to: number)
    }

    func text(of number: UInt64, from position: Int = 0) throws -> String {
        String(
            decoding: try output(of: number, from: position, limit: .max).flatMap(\.1), as: UTF8.self)
    }
}

extension KeptJob.Ending {
    static func sample(_ status: DokkuProtocol.ExitStatus? = .exited(0), _ failure: JobFailure? = nil) -> Self
    {
        Self(
            status: status, failure: failure, queued: .milliseconds(3), ran: .milliseconds(40),
            date: time(nil))
    }
}

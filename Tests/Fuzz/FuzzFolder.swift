// A folder for what is read from files, in memory where the system has such a place.
import Glibc

@testable import DokkuDaemon

final class FuzzFolder {
    let path: String

    init() throws {
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        path = "\(parent)/dokku-daemon-fuzz-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try require(mkdir(path, 0o700) == 0, "the folder \(path) cannot be made")
    }

    /// With the names that were written, and no others.
    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    private var names: Set<String> = []

    func write(_ bytes: [UInt8], to name: String) throws {
        names.insert(name)
        let file = try Descriptor.open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try file.writeAll(bytes[...])
    }
}

// A folder of a test's own, gone with the test.
import Foundation
import Testing

final class Folder {
    let path: String

    init() throws {
        let name = "\(NSTemporaryDirectory())/dokku-daemon-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: true)
        // As the kernel writes it: /proc/self/fd knows nothing of doubled slashes.
        let real = try #require(realpath(name, nil))
        defer { free(real) }
        path = String(cString: real)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ text: String, to name: String, mode: mode_t = 0o644) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
        chmod(path(name), mode)
        return path(name)
    }

    func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    func read(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    func has(_ name: String) -> Bool {
        var status = stat()
        return lstat(path(name), &status) == 0
    }

    func status(_ name: String) throws -> stat {
        var status = stat()
        try #require(lstat(path(name), &status) == 0)
        return status
    }

    @discardableResult
    func makeFolder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        return path(name)
    }

    /// Has a file or folder look unchanged for long. The kernel's dates advance in steps of milliseconds: what changes
    /// within one of them keeps its date.
    func age(_ name: String) throws {
        var dates = [timeval(tv_sec: 1_000_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000_000, tv_usec: 0)]
        try #require(utimes(path(name), &dates) == 0)
    }
}

// A folder of a test's own, gone with the test.
import Foundation

open class Folder {
    public let path: String

    public init() throws { path = try Self.make() }

    /// Takes over a folder that `make` made.
    public init(owning path: String) { self.path = path }

    /// Makes a folder, with a path short enough for a socket in it, unix(7).
    public static func make() throws -> String {
        var template = Array("/tmp/dokku-daemon-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemFailure(call: "mkdtemp") }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    public func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file with that mode, whatever the umask, and returns its path.
    @discardableResult
    public func write(_ bytes: [UInt8], to name: String, mode: mode_t = 0o644) throws -> String {
        let descriptor = try checked("open", open(path(name), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, mode))
        defer { close(descriptor) }
        try checked("fchmod", fchmod(descriptor, mode))
        var rest = bytes[...]
        while !rest.isEmpty {
            rest = rest.dropFirst(
                try checked(
                    "write", rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }))
        }
        return path(name)
    }

    @discardableResult
    public func write(_ text: String, to name: String, mode: mode_t = 0o644) throws -> String {
        try write(Array(text.utf8), to: name, mode: mode)
    }

    public func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    public func read(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    public func has(_ name: String) -> Bool { (try? status(name)) != nil }

    /// Of a link itself, not of what it leads to.
    public func status(_ name: String) throws -> stat {
        var status = stat()
        try checked("lstat", lstat(path(name), &status))
        return status
    }

    /// Makes a folder, and those above it. It has mode 0755, whatever the umask.
    @discardableResult
    public func makeFolder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        try checked("chmod", chmod(path(name), 0o755))
        return path(name)
    }

    /// Makes a file or folder look unchanged for years. File dates advance in steps of milliseconds, so that two changes
    /// within one step leave the same date.
    public func age(_ name: String) throws {
        var dates = [timeval(tv_sec: 1_000_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000_000, tv_usec: 0)]
        try checked("utimes", utimes(path(name), &dates))
    }
}

// A folder of a test's own, gone with the test.
import Foundation

/// F_SETLEASE of fcntl.h, which Swift shows only to who asks for GNU's extensions.
private let setLease: Int32 = 1024

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

    /// Writes a file with that mode, whatever the umask, and returns its path. What can be executed is ready for that.
    @discardableResult
    public func write(_ bytes: [UInt8], to name: String, mode: mode_t = 0o644) throws -> String {
        try put(bytes, into: name, mode)
        if mode & 0o111 != 0 { try waitUntilNobodyWrites(name) }
        return path(name)
    }

    /// Copies a program, and returns its path.
    @discardableResult
    public func copy(program: String, to name: String) throws -> String {
        try FileManager.default.copyItem(atPath: program, toPath: path(name))
        try waitUntilNobodyWrites(name)
        return path(name)
    }

    /// A process that another test starts at the wrong moment has the file open for writing until its own program begins,
    /// and such a file cannot be executed: ETXTBSY of execve(2). A read lease is given if there is no such process.
    private func waitUntilNobodyWrites(_ name: String) throws {
        let descriptor = try checked("open", open(path(name), O_RDONLY | O_CLOEXEC))
        // Which ends the lease.
        defer { close(descriptor) }
        try Deadline().poll("the end of all writers of \(name)") {
            if fcntl(descriptor, setLease, F_RDLCK) == 0 { return true }
            guard errno == EAGAIN else { throw SystemFailure(call: "lease") }
            return false
        }
    }

    private func put(_ bytes: [UInt8], into name: String, _ mode: mode_t) throws {
        let descriptor = try checked("open", open(path(name), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, mode))
        defer { close(descriptor) }
        try checked("fchmod", fchmod(descriptor, mode))
        var rest = bytes[...]
        while !rest.isEmpty {
            rest = rest.dropFirst(
                try checked(
                    "write", rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }))
        }
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

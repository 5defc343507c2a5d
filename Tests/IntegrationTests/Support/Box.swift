// A test's own folder under /tmp, with the FIFOs that hold the stand-in, and the journal of what it ran.
import Foundation

final class Box {
    let folder: String
    /// What ran, and when: `start PID words…` and `end PID status` lines of the stand-in.
    let journal: WatchedFile
    private var fifos: [Fifo] = []

    init() throws {
        var template = Array("/tmp/dd-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemFailure(call: "mkdtemp") }
        folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let path = folder + "/journal"
        close(try checked("open", open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o666)))
        journal = try WatchedFile(path)
    }

    deinit {
        // A killed daemon leaves its command behind, and some of them wait for ever.
        for line in journal.lines {
            let words = line.split(separator: " ")
            guard words.count > 1, let pid = pid_t(words[1]), words[0] != "end" else { continue }
            if contents("/proc/\(pid)/environ").text.contains(folder) { kill(pid, SIGKILL) }
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws -> String {
        let descriptor = try checked("open", open(path(name), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, mode))
        defer { close(descriptor) }
        // As it was asked for, whatever the umask.
        _ = try checked("fchmod", fchmod(descriptor, mode))
        try writeAll(bytes, to: descriptor)
        return path(name)
    }

    @discardableResult
    func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws -> String {
        try write(name, Array(text.utf8), mode: mode)
    }

    func makeFolder(_ name: String) throws -> String {
        try checked("mkdir", mkdir(path(name), 0o755))
        return path(name)
    }

    /// Makes a FIFO, which holds its readers as long as the box is there.
    func fifo(_ name: String = "fifo") throws -> Fifo {
        let fifo = try Fifo(path(name))
        fifos.append(fifo)
        return fifo
    }

    func read(_ name: String) -> [UInt8] { contents(path(name)) }

    func has(_ name: String) -> Bool { access(path(name), F_OK) == 0 }
}

/// A FIFO that holds a command of the stand-in until the test writes to it. Whoever reads it never waits in
/// open(2), since the test has it open for both.
final class Fifo {
    let path: String
    private let descriptor: Int32

    fileprivate init(_ path: String) throws {
        self.path = path
        try checked("mkfifo", mkfifo(path, 0o666))
        descriptor = try checked("open", open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC))
    }

    deinit { close(descriptor) }

    /// Lets the one that reads go on, once.
    func release() throws { try say("") }

    func say(_ line: String) throws { try writeAll(Array(line.utf8) + [UInt8(ascii: "\n")], to: descriptor) }
}

/// A whole file, or nothing where it cannot be read.
func contents(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    return (try? Stream(owning: descriptor).rest()) ?? []
}

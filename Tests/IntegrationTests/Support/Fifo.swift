// A FIFO that holds a command of the stand-in until the test writes to it.
import Glibc
import TestSupport

/// Whoever reads it never waits in open(2), since the test has it open for both.
final class Fifo {
    let path: String
    private let descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        try checked("mkfifo", mkfifo(path, 0o666))
        // Whatever the umask is: commands may run as another user.
        try checked("chmod", chmod(path, 0o666))
        descriptor = try checked("open", open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC))
    }

    deinit { close(descriptor) }

    /// Lets the one that reads go on, once.
    func release() throws { try say("") }

    func say(_ line: String) throws { try writeAll(Array(line.utf8) + [UInt8(ascii: "\n")], to: descriptor) }
}

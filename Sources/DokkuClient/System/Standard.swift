// The three descriptors that the client was started with.
import CClientShim
import Glibc

enum Standard {
    static let input: Int32 = 0
    static let output: Int32 = 1
    static let error: Int32 = 2

    enum Kind: Equatable {
        case file
        case terminal
        /// A pipe, a socket.
        case pipe
        /// Another device, as `/dev/null`; or none at all.
        case other
    }

    /// Gives each that is closed the end of an ended pipe, so that no other descriptor gets its number. It has no bytes, and
    /// takes none.
    static func settle() {
        for number in input...error where fcntl(number, F_GETFD) == -1 { _ = client_ended_pipe() }
    }

    /// A terminal once more, as a descriptor with which a write never waits. Nil if it has no name here.
    static func reopened(_ terminal: Int32) -> Int32? {
        let own = open("/proc/self/fd/\(terminal)", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        return own < 0 ? nil : own
    }

    static func kind(_ descriptor: Int32) -> Kind {
        var file = stat()
        guard fstat(descriptor, &file) == 0 else { return .other }
        switch file.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFIFO, S_IFSOCK: return .pipe
        case S_IFCHR: return isatty(descriptor) == 1 ? .terminal : .other
        default: return .other
        }
    }
}

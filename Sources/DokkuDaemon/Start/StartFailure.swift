// Why the daemon did not start, and its exit status.
import Glibc

struct StartFailure: Error, CustomStringConvertible {
    var description: String
    /// One of sysexits(3).
    var exitStatus: Int32

    /// A socket that the daemon cannot listen on.
    static func listening(_ description: String) -> StartFailure {
        StartFailure(description: description, exitStatus: EX_UNAVAILABLE)
    }
}

// Why the daemon did not start, and how its process then ends.
import Glibc

/// Why the daemon did not start.
struct StartFailure: Error, CustomStringConvertible {
    var description: String
    /// From sysexits(3).
    var exitStatus: Int32

    /// A socket that cannot be had.
    static func listening(_ description: String) -> StartFailure {
        StartFailure(description: description, exitStatus: EX_UNAVAILABLE)
    }
}

// The one place that reads errno.
import Glibc

/// A system call failed for a reason that is not a bug.
struct SystemFailure: Error, Equatable {
    let number: Int32

    /// The error of the call that has just returned -1.
    static var last: SystemFailure { SystemFailure(number: errno) }

    /// In the C library's words: `No such file or directory`.
    var reason: String { String(cString: strerror(number)) }

    /// Whether the other side has closed the connection. What it sent before can still be read.
    var isHangup: Bool { number == EPIPE || number == ECONNRESET }

    /// Whether nobody listens on a socket.
    var isAbsence: Bool { number == ENOENT || number == ECONNREFUSED }

    /// Whether the call would have to wait.
    var wouldBlock: Bool { number == EAGAIN || number == EWOULDBLOCK }
}

/// Repeats a call that a signal has interrupted, and returns its result or throws its error.
func retrying<Value: FixedWidthInteger>(_ call: () -> Value) throws(SystemFailure) -> Value {
    while true {
        let result = call()
        if result != -1 { return result }
        let failure = SystemFailure.last
        if failure.number != EINTR { throw failure }
    }
}

// The one place that reads errno: a failed system call as the rest of the program sees it.
import Glibc

/// A system call failed for a reason that is not a bug.
struct SystemError: Error, Equatable, Sendable {
    let call: StaticString
    let number: Int32

    /// The error of the call that has just returned -1.
    static func last(_ call: StaticString) -> SystemError { SystemError(call: call, number: errno) }

    /// The reason in the C library's words: `No such file or directory`.
    var reason: String { String(cString: strerror(number)) }

    static func == (one: SystemError, other: SystemError) -> Bool { one.number == other.number }
}

extension SystemError: CustomStringConvertible {
    var description: String { "\(call): \(reason)" }
}

/// Repeats a call that a signal has interrupted, and returns its result or throws its error. A bad descriptor or
/// address is a bug, and ends the program.
@inline(__always)
func retrying<Value: FixedWidthInteger>(
    _ name: StaticString, _ call: () -> Value
) throws(SystemError) -> Value {
    while true {
        let result = call()
        if result != -1 { return result }
        let number = errno
        if number == EINTR { continue }
        precondition(number != EBADF && number != EFAULT, "a system call was given a wrong argument")
        throw SystemError(call: name, number: number)
    }
}

extension SystemError {
    var wouldBlock: Bool { number == EAGAIN || number == EWOULDBLOCK }
}

// System calls of the tests themselves, and how they fail.
import Glibc

public struct SystemFailure: Error, CustomStringConvertible {
    private let call: String
    private let code = errno

    public init(call: String) { self.call = call }

    public var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// The result of a system call, or its errno as an error if it is negative.
@discardableResult
public func checked<Result: SignedInteger>(_ call: String, _ result: Result) throws -> Result {
    guard result >= 0 else { throw SystemFailure(call: call) }
    return result
}

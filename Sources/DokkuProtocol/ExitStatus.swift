// How a process ended.

public enum ExitStatus: Equatable, Sendable {
    case exited(Int32)
    /// By the signal of this name, as kill(1) lists it: `SIGTERM`.
    case signalled(String)

    public var isSuccess: Bool { self == .exited(0) }
}

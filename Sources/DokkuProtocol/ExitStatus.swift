// How a process ended.

public enum ExitStatus: Equatable, Sendable {
    case exited(Int32)
    /// By a signal of this name, `SIGTERM`, as kill(1) knows it.
    case signalled(String)

    public var isSuccess: Bool { self == .exited(0) }
}

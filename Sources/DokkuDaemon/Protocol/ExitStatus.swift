// How a process ended.

enum ExitStatus: Equatable, Sendable {
    case exited(Int32)
    /// By a signal of this name, `SIGTERM`, as kill(1) knows it.
    case signalled(String)

    var isSuccess: Bool { self == .exited(0) }
}

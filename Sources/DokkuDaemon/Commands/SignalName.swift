// The signals that `daemon:signal` sends.
import Glibc

enum SignalName: String, CaseIterable, Sendable {
    case interrupt = "INT"
    case quit = "QUIT"
    /// The terminal has another size.
    case windowChange = "WINCH"
    case hangUp = "HUP"
    case terminate = "TERM"
    case kill = "KILL"

    var number: Int32 {
        switch self {
        case .interrupt: SIGINT
        case .quit: SIGQUIT
        case .windowChange: SIGWINCH
        case .hangUp: SIGHUP
        case .terminate: SIGTERM
        case .kill: SIGKILL
        }
    }

    /// All of them, for messages.
    static var list: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

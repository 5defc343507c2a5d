/// The commands that the daemon answers itself.
enum Builtin: Equatable, Sendable {
    case commands
    case refresh
    case version
    case status
    case queue
    case cancel(job: UInt64)
    case help
}

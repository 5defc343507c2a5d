// How a command runs beside others. Other parts ask for the facts that follow from the lane, not for the lane.

/// Kept jobs are written down with these names.
enum Lane: String, Sendable {
    case queue
    case follow
    case beside
    /// It ends commands that may block the queue, so it waits for nobody.
    case cancel
    /// It uses its client's own terminal, pipes or files, and no more of the daemon.
    case talk

    private struct Facts {
        var noun: StaticString
        var waitsInQueue = false
        var neverEnds = false
        var endsWithClient = false
    }

    private var facts: Facts {
        switch self {
        case .queue: Facts(noun: "commands", waitsInQueue: true)
        case .follow: Facts(noun: "endless commands", neverEnds: true, endsWithClient: true)
        case .beside: Facts(noun: "commands beside the queue")
        case .cancel: Facts(noun: "cancelling commands")
        case .talk: Facts(noun: "commands with a terminal of their own", endsWithClient: true)
        }
    }

    /// The name of this kind of commands, in the plural. Each kind is counted by itself.
    var noun: StaticString { facts.noun }
    /// Whether it waits for its turn and runs under dokku's lock. Other commands start at once, up to the limit for
    /// commands beside the queue.
    var waitsInQueue: Bool { facts.waitsInQueue }
    /// Whether it ends only with its client. A slow reader makes it wait; the output of other commands is kept.
    var neverEnds: Bool { facts.neverEnds }
    /// Whether it is ended if its client leaves.
    var endsWithClient: Bool { facts.endsWithClient }
}

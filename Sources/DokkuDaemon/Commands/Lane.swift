// How a command runs beside others. Other parts ask for the facts that follow from the lane, not for the lane.

/// Kept jobs are written down with these names.
enum Lane: String, Sendable {
    case queue
    case follow
    case beside
    /// It ends commands that may block the queue, so it waits for nobody.
    case cancel

    private struct Facts {
        var noun: StaticString
        var waitsInQueue = false
        var neverEnds = false
    }

    private var facts: Facts {
        switch self {
        case .queue: Facts(noun: "commands", waitsInQueue: true)
        case .follow: Facts(noun: "endless commands", neverEnds: true)
        case .beside: Facts(noun: "commands beside the queue")
        case .cancel: Facts(noun: "cancelling commands")
        }
    }

    /// The name of this kind of commands, in the plural. Each kind is counted by itself.
    var noun: StaticString { facts.noun }
    /// Whether it waits for its turn and runs under dokku's lock. Other commands start at once, up to the limit for
    /// commands beside the queue.
    var waitsInQueue: Bool { facts.waitsInQueue }
    /// Whether it ends with its client. A slow reader makes it wait; the output of other commands is kept.
    var neverEnds: Bool { facts.neverEnds }
}

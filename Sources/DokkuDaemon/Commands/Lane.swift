// How a command runs beside others. Whoever has to do with it asks for what follows from that, never for its name.

enum Lane: Equatable, Sendable {
    case queue
    case follow
    case beside
    /// It ends what may hold the queue up, and so is kept waiting by nobody.
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

    /// What commands of this kind are called, in the plural. Each kind is counted by itself.
    var noun: StaticString { facts.noun }
    /// It waits for its turn, and runs under dokku's lock. Others start at once, as many as may run beside the queue.
    var waitsInQueue: Bool { facts.waitsInQueue }
    /// It ends with its client. A slow reader makes it wait; of others the output is kept.
    var neverEnds: Bool { facts.neverEnds }
}

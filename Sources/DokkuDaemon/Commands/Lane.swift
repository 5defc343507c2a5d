// How a command runs beside others: what follows for the queue, the lock and its reader from the kind it is of.

struct Lane: Equatable, Sendable {
    /// What commands of this kind are called, in the plural. Each kind is counted by itself.
    let noun: String
    /// It waits for its turn. Others start at once, as many as may run beside the queue.
    let waitsInQueue: Bool
    /// dokku's lock is held while it runs.
    let takesLock: Bool
    /// It ends with its client. A slow reader makes it wait; of others the output is kept.
    let neverEnds: Bool

    static let queue = Lane(noun: "commands", waitsInQueue: true, takesLock: true, neverEnds: false)
    static let follow = Lane(noun: "endless commands", waitsInQueue: false, takesLock: false, neverEnds: true)
    static let beside = Lane(
        noun: "commands beside the queue", waitsInQueue: false, takesLock: false, neverEnds: false)
    /// It ends what may hold the queue up, and so is kept waiting by nobody.
    static let cancel = Lane(
        noun: "cancelling commands", waitsInQueue: false, takesLock: false, neverEnds: false)
}

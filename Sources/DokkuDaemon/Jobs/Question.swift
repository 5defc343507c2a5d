// What a command asks, if it only reads. Jobs that ask the same at the same time share a run.
import DokkuProtocol

struct Question: Hashable {
    /// Made once: the words may be long, and questions are compared each time a place in the queue is told.
    private let fingerprint: Int
    private let words: ArgumentList
    private let timeout: Duration?
    private let separatesStreams: Bool
    /// Askers with other rights have a run of their own.
    private let owner: ListenerRules.Owner
    private let isReadOnly: Bool

    /// Nil if the command may change something, or has an input, or writes to a file of its client, or is
    /// written down on disk before it starts: then it runs for its asker alone.
    init?(_ command: Command, from peer: Peer) {
        guard command.scope == .nothing, !command.request.hasInput, command.request.repliesWithAll,
            !command.request.isDetached
        else { return nil }
        words = command.invocation.arguments
        timeout = command.request.timeout
        separatesStreams = command.request.separatesStreams
        owner = peer.owner
        isReadOnly = peer.rules.options.contains(.readOnly)
        var hasher = Hasher()
        words.hash(into: &hasher)
        fingerprint = hasher.finalize()
    }

    func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }
}

// What a command asks, if it only reads. Jobs that ask the same at the same time share a run.
import DokkuProtocol

struct Question: Hashable {
    private let words: ArgumentList
    private let timeout: Duration?
    private let separatesStreams: Bool
    /// Askers with other rights have a run of their own.
    private let isRestricted: Bool

    /// Nil if the command may change something, or has an input: then it runs for its asker alone.
    init?(_ command: Command, from peer: Peer) {
        guard command.scope == .nothing, !command.request.hasInput else { return nil }
        words = command.invocation.arguments
        timeout = command.request.timeout
        separatesStreams = command.request.separatesStreams
        isRestricted = peer.isRestricted
    }
}

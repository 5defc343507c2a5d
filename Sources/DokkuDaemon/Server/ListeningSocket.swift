// A listening socket and its rules. systemd passed it, or the daemon made it.
import DokkuProtocol

final class ListeningSocket {
    private var descriptor: Descriptor?
    let rules: ListenerRules
    /// The path it is bound to, for logs; empty if it has none.
    let name: String
    /// Its file, which is removed at the end; nil if the daemon did not make the socket.
    let ownFile: SocketFile?

    init(
        _ descriptor: consuming Descriptor, name: String, rules: ListenerRules, ownFile: SocketFile? = nil
    ) {
        self.descriptor = consume descriptor
        self.name = name
        self.rules = rules
        self.ownFile = ownFile
    }

    /// For the part that accepts connections; nil from the second call on.
    func takeDescriptor() -> Descriptor? { descriptor.take() }
}

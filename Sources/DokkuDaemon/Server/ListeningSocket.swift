// A listening socket and its rules: handed over by systemd, or made by us.
import DokkuProtocol

final class ListeningSocket {
    private var descriptor: Descriptor?
    let options: ListenerOptions
    /// The path it is bound to, for logs; empty if it has none.
    let name: String
    /// Its file, to be unlinked at the end, if we made it.
    let ownFile: SocketFile?

    init(
        _ descriptor: consuming Descriptor, name: String, options: ListenerOptions, ownFile: SocketFile? = nil
    ) {
        self.descriptor = consume descriptor
        self.name = name
        self.options = options
        self.ownFile = ownFile
    }

    /// For who accepts connections; nil the second time.
    func takeDescriptor() -> Descriptor? { descriptor.take() }
}

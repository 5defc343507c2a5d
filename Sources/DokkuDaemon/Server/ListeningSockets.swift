// The sockets that the daemon serves: those handed over, and one of its own.
import Glibc

struct ListeningSockets {
    private(set) var listeners: [Listener]
    /// False where all are the daemon's own.
    let areHandedOver: Bool
    /// What is wrong with the settings, of the sockets too. With faults the handed-over ones are all there is: their
    /// clients are told, instead of waiting in a backlog for a daemon that does not start.
    private(set) var faults: [String]

    init(_ configuration: Configuration) throws(StartFailure) {
        do throws(ListenFailure) {
            let handedOver = try Activation.takeOver()
            listeners = handedOver.listeners
            areHandedOver = !listeners.isEmpty
            faults = configuration.faults + handedOver.faults
        } catch {
            throw StartFailure(description: "\(error)", exitStatus: EX_UNAVAILABLE)
        }
        if areHandedOver {
            if faults.isEmpty, wantsOwn(configuration) { bindBesides(configuration) }
        } else {
            guard faults.isEmpty else {
                throw StartFailure(description: faults.joined(separator: "\nError: "), exitStatus: EX_CONFIG)
            }
            do throws(ListenFailure) {
                listeners = [try Self.bind(configuration)]
            } catch {
                throw StartFailure(description: "\(error)", exitStatus: EX_UNAVAILABLE)
            }
        }
    }

    private func wantsOwn(_ configuration: Configuration) -> Bool {
        configuration.isSocketPathGiven
            && !listeners.contains { isSameFile($0.name, configuration.socketPath) }
    }

    private mutating func bindBesides(_ configuration: Configuration) {
        do throws(ListenFailure) {
            listeners.append(try Self.bind(configuration))
        } catch {
            faults.append("DOKKU_SOCK_PATH is wanted besides the sockets that were handed over, but \(error)")
        }
    }

    private static func bind(_ configuration: Configuration) throws(ListenFailure) -> Listener {
        try SocketPath(path: configuration.socketPath).bind(options: configuration.listenerOptions)
    }
}

/// True where two paths lead to the same file, or are the same.
private func isSameFile(_ one: String, _ other: String) -> Bool {
    if one == other { return true }
    var first = stat()
    var second = stat()
    guard stat(one, &first) == 0, stat(other, &second) == 0 else { return false }
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino
}

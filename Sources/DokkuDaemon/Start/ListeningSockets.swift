// The sockets that the daemon serves: those from systemd, and one of its own.
import DokkuProtocol
import Glibc

struct ListeningSockets {
    private(set) var sockets: [ListeningSocket]
    /// False if the daemon made all sockets itself.
    let areHandedOver: Bool
    /// What is wrong with the settings and the sockets. If there are faults, only the sockets from systemd are
    /// served: their clients get the reason, instead of waiting in the backlog of a daemon that does not start.
    private(set) var faults: [String]

    /// `faultsOf` tells what a socket's rules need and cannot get.
    init(
        _ configuration: Configuration, faultsOf: (ListenerRules) -> [String]
    ) throws(StartFailure) {
        let handedOver = try Activation.takeOver()
        sockets = handedOver.sockets
        areHandedOver = !sockets.isEmpty
        faults = configuration.faults + handedOver.faults
        // Two sockets may need the same.
        for rules in sockets.map(\.rules) + [configuration.listenerRules] {
            faults += faultsOf(rules).filter { !faults.contains($0) }
        }
        if areHandedOver {
            if faults.isEmpty, wantsOwn(configuration) { bindBesides(configuration) }
        } else {
            guard faults.isEmpty else {
                throw StartFailure(description: faults.joined(separator: "\nError: "), exitStatus: EX_CONFIG)
            }
            sockets = [try Self.bind(configuration)]
        }
    }

    private func wantsOwn(_ configuration: Configuration) -> Bool {
        configuration.isSocketPathGiven
            && !sockets.contains { isSameFile($0.name, configuration.socketPath) }
    }

    private mutating func bindBesides(_ configuration: Configuration) {
        do throws(StartFailure) {
            sockets.append(try Self.bind(configuration))
        } catch {
            faults.append("DOKKU_SOCK_PATH is set beside systemd's sockets, but \(error)")
        }
    }

    private static func bind(_ configuration: Configuration) throws(StartFailure) -> ListeningSocket {
        try SocketPath(path: configuration.socketPath).bind(configuration.listenerRules)
    }
}

/// True if both paths lead to the same file, or are equal.
private func isSameFile(_ one: String, _ other: String) -> Bool {
    if one == other { return true }
    var first = stat()
    var second = stat()
    guard stat(one, &first) == 0, stat(other, &second) == 0 else { return false }
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino
}

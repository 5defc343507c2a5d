// Accepts connections at one listening socket.
import CEpollShim
import Glibc

/// Decides whether connections are accepted, and takes those that are.
protocol Doorkeeper: AnyObject {
    /// False while no connection can be accepted: listeners then wait for nothing, and connections stay in the
    /// backlog.
    func accepts(isRestricted: Bool) -> Bool
    /// It was accepted at `time` or later.
    func didAccept(_ connection: consuming Descriptor, at listener: Listener, since time: BootTime)
    /// accept(2) fails. The doorkeeper asks the listeners again later.
    func pause()
}

final class Listener: EventHandler {
    /// The most connections accepted in one turn.
    private static let acceptLimit = 16

    /// Whether its connections may carry files.
    private enum Passing {
        case wanted
        case possible
        /// New connections may not, but those in the backlog may be older.
        case refusedFromNow
        case refused
    }

    let socket: ListeningSocket
    private var passing: Passing
    private unowned let doorkeeper: any Doorkeeper
    private var watch: Watch

    /// Takes the socket's descriptor; nil if that was already taken.
    init?(_ socket: ListeningSocket, loop: EventLoop, doorkeeper: any Doorkeeper) {
        guard let descriptor = socket.takeDescriptor() else { return nil }
        self.socket = socket
        self.doorkeeper = doorkeeper
        if socket.rules.options.contains(.descriptors) {
            shim_take_files(descriptor.number)
            passing = .wanted
        } else {
            passing = shim_refuse_files(descriptor.number) == 0 ? .refusedFromNow : .possible
        }
        watch = Watch(descriptor, in: loop)
        watch.start(for: self)
    }

    func didBecomeReady(_ readiness: Readiness) {
        let time = BootTime.now
        for _ in 0..<Self.acceptLimit where isWelcome {
            do throws(SystemError) {
                guard let connection = try accept() else {
                    // Connections are accepted in the order in which they were made.
                    if passing == .refusedFromNow { passing = .refused }
                    return
                }
                doorkeeper.didAccept(connection, at: self, since: time)
            } catch {
                return doorkeeper.pause()
            }
        }
    }

    /// Nil if no connection waits.
    private func accept() throws(SystemError) -> Descriptor? {
        let number = try watch.withDescriptor { socket throws(SystemError) in
            try socket.attempt("accept") { shim_accept($0) }
        }
        guard let number = number ?? nil else { return nil }
        return Descriptor(owning: number)
    }

    /// What becomes of the files that come through a new connection.
    func passage(
        _ connection: borrowing Descriptor, _ closer: Closer, _ fileCloser: FileCloser
    ) -> Passage {
        switch passing {
        case .wanted:
            // It may be older than the setting of its listener.
            shim_take_files(connection.number)
            return .open(closer, fileCloser)
        case .possible: return .guarded(closer)
        case .refusedFromNow:
            return shim_takes_files(connection.number) != 0 ? .guarded(closer) : .shut
        case .refused: return .shut
        }
    }

    private var isWelcome: Bool { doorkeeper.accepts(isRestricted: socket.rules.isRestricted) }

    func settle() -> Interest? { isWelcome ? .read : [] }

    func reconsider() { watch.mark() }

    /// Leaves the loop. A socket from systemd keeps its backlog for the daemon's next start; the file of the
    /// daemon's own socket is removed.
    func stop() {
        watch.stop()
        socket.ownFile?.unlink()
    }
}

// Lets connections in at one listening socket.
import CEpollShim
import Glibc

/// Who decides whether anybody is let in, and takes those who are.
protocol Doorkeeper: AnyObject {
    /// False while nobody can be let in: listeners then wait for nothing, and connections stay in the backlog.
    func accepts(isRestricted: Bool) -> Bool
    func didAccept(_ connection: consuming Descriptor, at listener: Listener)
    /// accept(2) fails. The listeners are asked again when it is time to try again.
    func pause()
}

final class Listener: EventHandler {
    /// How many are accepted in one turn.
    private static let acceptLimit = 16

    /// Whether its connections may bring files.
    private enum Passing {
        case possible
        /// Not those made from now on; the ones that wait may be older.
        case refusedFromNow
        case refused
    }

    let socket: ListeningSocket
    private var passing: Passing
    private unowned let doorkeeper: any Doorkeeper
    private let loop: EventLoop
    private var token: Token?

    init(_ socket: ListeningSocket, loop: EventLoop, doorkeeper: any Doorkeeper) {
        self.socket = socket
        self.loop = loop
        self.doorkeeper = doorkeeper
        passing = shim_refuse_files(socket.descriptor.number) == 0 ? .refusedFromNow : .possible
        token = loop.add(socket.descriptor, self)
    }

    func didBecomeReady(_ readiness: Readiness) {
        for _ in 0..<Self.acceptLimit where isWelcome {
            let number = socket.descriptor.number
            do throws(SystemError) {
                let connection = Descriptor(owning: try retrying("accept") { shim_accept(number) })
                doorkeeper.didAccept(connection, at: self)
            } catch {
                if !error.wouldBlock {
                    doorkeeper.pause()
                } else if passing == .refusedFromNow {
                    // Connections are accepted in the order in which they were made.
                    passing = .refused
                }
                return
            }
        }
    }

    func mayBringFiles(_ connection: borrowing Descriptor) -> Bool {
        switch passing {
        case .possible: true
        case .refusedFromNow: shim_takes_files(connection.number) != 0
        case .refused: false
        }
    }

    private var isWelcome: Bool { doorkeeper.accepts(isRestricted: socket.options.isRestricted) }

    func settle() -> Interest? { isWelcome ? .read : [] }

    func reconsider() { if let token { loop.mark(token) } }

    /// Leaves the loop. An activated socket stays as it is, with its backlog, for the daemon's next start; one of
    /// our own ends here.
    func stop() {
        if let token { loop.remove(token, isShared: true) }
        token = nil
        socket.ownFile?.unlink()
    }
}

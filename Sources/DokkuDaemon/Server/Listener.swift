// One listening socket, handed over by systemd or bound by us.
import CEpollShim
import Glibc

final class Listener: EventHandler {
    /// How many are accepted in one turn.
    private static let acceptLimit = 16

    let options: ListenerOptions
    /// The path it is bound to, for logs; empty where it has none.
    let name: String
    private let descriptor: Descriptor
    /// Whether its connections may bring files.
    private enum Passing {
        case possible
        /// Not those made from now on; the ones that wait may be older.
        case refusedFromNow
        case refused
    }
    private var passing = Passing.possible
    /// The path and inode to unlink at the end, where we made them.
    private let ownFile: SocketFile?
    private var token: Token?
    private unowned var server: Server!
    private var loop: EventLoop?

    init(
        _ descriptor: consuming Descriptor, name: String, options: ListenerOptions, ownFile: SocketFile? = nil
    ) {
        self.descriptor = descriptor
        self.name = name
        self.options = options
        self.ownFile = ownFile
    }

    func start(in loop: EventLoop, server: Server) {
        self.loop = loop
        self.server = server
        if shim_refuse_files(descriptor.number) == 0 { passing = .refusedFromNow }
        token = loop.add(descriptor, self)
    }

    func didBecomeReady(_ readiness: Readiness) {
        for _ in 0..<Self.acceptLimit where isWelcome {
            let number = descriptor.number
            do throws(SystemError) {
                let connection = Descriptor(owning: try retrying("accept") { shim_accept(number) })
                server.didAccept(connection, at: self)
            } catch {
                if !error.wouldBlock {
                    server.pause()
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

    private var isWelcome: Bool { server.accepts(isRestricted: options.isRestricted) }

    func settle() -> Interest? { isWelcome ? .read : [] }

    func reconsider() { if let token { loop?.mark(token) } }

    /// Leaves the loop. An activated socket stays as it is, with its backlog, for the daemon's next start; one of
    /// our own ends here.
    func stop() {
        if let token { loop?.remove(token, isShared: true) }
        token = nil
        ownFile?.unlink()
    }
}

/// The file of a socket that we bound ourselves.
struct SocketFile {
    let path: String
    private let device: dev_t
    private let inode: ino_t

    init(path: String) throws(SystemError) {
        var status = stat()
        _ = try retrying("lstat") { lstat(path, &status) }
        self.path = path
        device = status.st_dev
        inode = status.st_ino
    }

    /// Removes the file, unless somebody has put another in its place.
    func unlink() {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode else { return }
        Glibc.unlink(path)
    }
}

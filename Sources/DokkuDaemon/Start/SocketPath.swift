// The path of a socket that the daemon makes itself: checks who uses it, and takes it.
import CEpollShim
import DokkuProtocol
import Glibc

struct SocketPath {
    /// How long another process may hold the folder's lock. Another daemon needs it for some microseconds.
    private static let patience = Duration.seconds(5)
    private static let pause: useconds_t = 5_000

    let path: String

    /// Makes the folder, replaces the socket of a dead daemon, and throws if the path is in use.
    func bind(_ rules: ListenerRules) throws(StartFailure) -> ListeningSocket {
        let reason: String
        do throws(SystemError) {
            let folder = parentFolder(path)
            try makeFolders(folder)
            // Two daemons that start at once must not both find the socket unused.
            let guardian = try Descriptor.open(folder, O_RDONLY | O_DIRECTORY)
            if try !lock(guardian) {
                reason = "another process keeps \(folder) locked"
            } else if let occupant = try occupant() {
                reason = occupant
            } else {
                return try make(rules)
            }
        } catch {
            reason = error.reason
        }
        throw .listening("cannot listen on \(path): \(reason)")
    }

    /// Waits for the folder's lock; false if it was not free in time. The loop does not run yet, so nobody is kept
    /// waiting.
    private func lock(_ folder: borrowing Descriptor) throws(SystemError) -> Bool {
        let deadline = Instant.now + Self.patience
        while try folder.attempt("flock", { shim_lock($0) }) == nil {
            if Instant.now > deadline { return false }
            usleep(Self.pause)
        }
        return true
    }

    /// What is in the way; nil if nothing is. A socket file that nobody listens on is removed.
    private func occupant() throws(SystemError) -> String? {
        var status = stat()
        if lstat(path, &status) != 0 {
            if errno == ENOENT { return nil }
            throw .last("lstat")
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return "the existing file is not a socket" }
        let probe = Descriptor(owning: try retrying("socket") { shim_unix_socket() })
        if shim_connect(probe.number, path) == 0 { return "another daemon is already listening there" }
        switch errno {
        case EAGAIN: return "another daemon is already listening there"
        case EPROTOTYPE: return "a socket of another type is in use there"
        case ECONNREFUSED:
            _ = try retrying("unlink") { unlink(path) }
            return nil
        case ENOENT: return nil
        default: throw .last("connect")
        }
    }

    private func make(_ rules: ListenerRules) throws(SystemError) -> ListeningSocket {
        let socket = Descriptor(owning: try retrying("socket") { shim_unix_socket() })
        try socket.call("bind") { shim_bind($0, path) }
        _ = try retrying("chmod") { chmod(path, 0o777) }
        try socket.call("listen") { listen($0, SOMAXCONN) }
        return ListeningSocket(socket, name: path, rules: rules, ownFile: try SocketFile(path: path))
    }
}

/// The folder of a path; `/` for a file at the root.
func parentFolder(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
}

/// Makes a folder and all folders above it, with mode 0755.
func makeFolders(_ path: String) throws(SystemError) {
    if access(path, F_OK) == 0 || path == "/" { return }
    try makeFolders(parentFolder(path))
    if mkdir(path, 0o755) != 0, errno != EEXIST { throw .last("mkdir") }
}

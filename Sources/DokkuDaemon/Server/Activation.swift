// Where listening sockets come from: handed over by systemd, or bound to a path of our own.
import CEpollShim
import Glibc

/// Why the daemon cannot listen.
struct ListenFailure: Error, CustomStringConvertible {
    var description: String
}

enum Activation {
    /// Takes over what systemd hands us, sd_listen_fds_with_names(3). Anything but listening unix stream sockets is
    /// an error.
    static func takeOver() throws(ListenFailure) -> [Listener] {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(1, &names)
        guard count >= 0 else {
            throw ListenFailure(
                description: "the sockets handed over cannot be read: \(String(cString: strerror(-count)))")
        }
        defer {
            for index in 0..<Int(count) { free(names?[index]) }
            free(names)
        }
        var listeners: [Listener] = []
        for index in 0..<count {
            let name = names?[Int(index)].map { String(cString: $0) } ?? ""
            listeners.append(try takeOver(SD_LISTEN_FDS_START + index, named: name))
        }
        return listeners
    }

    private static func takeOver(_ number: Int32, named name: String) throws(ListenFailure) -> Listener {
        let descriptor = Descriptor(owning: number)
        guard sd_is_socket(number, AF_UNIX, Int32(SOCK_STREAM.rawValue), 1) > 0 else {
            throw ListenFailure(
                description:
                    "descriptor \(number) (\(name)), handed over, is not a listening unix stream socket")
        }
        _ = shim_set_nonblocking(number)
        var path = [CChar](repeating: 0, count: 128)
        _ = shim_bound_path(number, &path, path.count)
        let text = path.withUnsafeBufferPointer { buffer in
            String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return Listener(descriptor, name: text, options: try options(name))
    }

    static func options(_ name: String) throws(ListenFailure) -> ListenerOptions {
        do throws(ListenerOptions.Unknown) {
            return try ListenerOptions(parsing: name)
        } catch {
            throw ListenFailure(description: "unknown listener option: \(error.option)")
        }
    }

    /// Binds a path: makes its folder, takes over what a dead daemon left, and refuses to start beside a living one.
    static func bind(_ path: String, options: ListenerOptions) throws(ListenFailure) -> Listener {
        do throws(SystemError) {
            let folder = parentFolder(path)
            try makeFolders(folder)
            // Two daemons that start at once must not both find the file stale.
            let guardian = try Descriptor.open(folder, O_RDONLY | O_DIRECTORY)
            let number = guardian.number
            _ = try retrying("flock") { shim_lock(number) }
            if isAlive(path) {
                throw SystemError(call: "bind", number: EADDRINUSE)
            }
            return try bindFile(path, options: options)
        } catch {
            if error.number == EADDRINUSE || error.wouldBlock {
                throw ListenFailure(description: "another daemon is already listening on \(path)")
            }
            throw ListenFailure(description: "cannot listen on \(path): \(error.reason)")
        }
    }

    private static func bindFile(_ path: String, options: ListenerOptions) throws(SystemError) -> Listener {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
        let socket = Descriptor(owning: try retrying("socket") { shim_unix_socket() })
        let number = socket.number
        _ = try retrying("bind") { shim_bind(number, path) }
        _ = try retrying("chmod") { chmod(path, 0o777) }
        _ = try retrying("listen") { listen(number, SOMAXCONN) }
        return Listener(socket, name: path, options: options, ownFile: try SocketFile(path: path))
    }

    private static func isAlive(_ path: String) -> Bool {
        guard let number = try? retrying("socket", { shim_unix_socket() }) else { return false }
        let probe = Descriptor(owning: number)
        // A full backlog (EAGAIN) is a living daemon, too.
        return shim_connect(probe.number, path) == 0 || errno == EAGAIN
    }
}

/// The folder of a path; `/` for a file at the root.
func parentFolder(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
}

/// Makes a folder and those above it, 0755.
func makeFolders(_ path: String) throws(SystemError) {
    if access(path, F_OK) == 0 || path == "/" { return }
    try makeFolders(parentFolder(path))
    if mkdir(path, 0o755) != 0, errno != EEXIST { throw .last("mkdir") }
}

// A socket that the test binds before the daemon starts, as systemd does, so that no client can come too early.
import CEpollShim
import Glibc

final class ListeningSocket {
    let path: String
    /// What `FileDescriptorName=` says: the listener's options.
    let name: String
    let descriptor: Int32

    init(_ path: String, name: String = "dokku-daemon.socket") throws {
        self.path = path
        self.name = name
        descriptor = try checked("socket", shim_unix_socket())
        try checked("bind", shim_bind(descriptor, path))
        try checked("listen", listen(descriptor, 4096))
    }

    /// The first socket of a daemon that has ended, for the next one.
    init(sharing daemon: Daemon) throws {
        path = daemon.path
        name = daemon.sockets[0].name
        descriptor = try checked("dup", fcntl(daemon.sockets[0].descriptor, F_DUPFD_CLOEXEC, 0))
    }

    /// Takes over a descriptor that is no listening unix socket.
    init(impostor descriptor: Int32) throws {
        path = ""
        name = ""
        self.descriptor = try checked("the impostor", descriptor)
    }

    deinit { close(descriptor) }
}

/// The other end of `NOTIFY_SOCKET`: what a service manager is told by sd_notify(3).
final class ServiceManager {
    let path: String
    let descriptor: Int32
    private(set) var messages: [String] = []

    init(_ path: String) throws {
        self.path = path
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        descriptor = try checked("socket", socket(AF_UNIX, kind, 0))
        try checked("bind", shim_bind(descriptor, path))
    }

    deinit { close(descriptor) }

    /// Takes in what has come, without waiting.
    func receive() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count >= 0 else { return }
            messages += buffer[..<count].split(separator: UInt8(ascii: "\n")).map { Array($0).text }
        }
    }

    /// Waits for a line that starts with `prefix`, or for `count` of them, unless the process ends before.
    @discardableResult
    func line(_ prefix: String, count: Int = 1, from process: Spawned) throws -> String {
        let deadline = Deadline()
        while true {
            receive()
            let lines = messages.filter { $0.hasPrefix(prefix) }
            if lines.count >= count { return lines[0] }
            let ready = try deadline.wait(descriptor, process.pidfd, what: "\(prefix), not \(messages)")
            if ready == [false, true] {
                throw Overdue(what: "\(prefix): the process has ended, after \(messages)")
            }
        }
    }

    func forget() { messages = [] }

    /// Sends itself messages until there is no room for another, as if it did not read.
    func fill() throws {
        let sender = try checked("socket", shim_unix_datagram_socket())
        defer { close(sender) }
        try checked("connect", shim_connect(sender, path))
        while write(sender, "X=1", 3) > 0 {}
        guard errno == EAGAIN else { throw SystemFailure(call: "write") }
    }
}

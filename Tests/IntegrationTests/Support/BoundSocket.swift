// A socket that the test binds before the daemon starts, as systemd does, so that no client can come too early.
import CEpollShim
import Glibc
import TestSupport

final class BoundSocket {
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
    init(sharing daemon: DaemonProcess) throws {
        path = daemon.path
        name = daemon.sockets[0].name
        descriptor = try checked("dup", fcntl(daemon.sockets[0].descriptor, F_DUPFD_CLOEXEC, 0))
    }

    /// The same socket with other rules, for the next daemon.
    init(renaming other: BoundSocket, to name: String) throws {
        path = other.path
        self.name = name
        descriptor = try checked("dup", fcntl(other.descriptor, F_DUPFD_CLOEXEC, 0))
    }

    /// Takes over a descriptor that is no listening unix socket.
    init(impostor descriptor: Int32) throws {
        path = ""
        name = ""
        self.descriptor = try checked("the impostor", descriptor)
    }

    deinit { close(descriptor) }
}

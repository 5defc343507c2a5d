// Where the daemon's socket is, and what to do if nobody answers there.
import Glibc

struct SocketPath {
    let path: String

    /// The first of: the option, `DOKKU_SOCK_PATH`, and the places where the daemon's package puts it.
    init(named: String?) {
        if let named {
            path = named
        } else if let value = getenv("DOKKU_SOCK_PATH"), value.pointee != 0 {
            path = String(cString: value)
        } else {
            // `/var/run` is a link to `/run`, except in images that have only one of them.
            path = Self.usual.first { access($0, F_OK) == 0 } ?? Self.usual[0]
        }
    }

    private static let usual = [
        "/run/dokku-daemon/dokku-daemon.sock", "/var/run/dokku-daemon/dokku-daemon.sock",
    ]

    /// What the failure to connect means.
    func verdict(on failure: SystemFailure) -> Verdict {
        switch failure.number {
        case ENOENT, ENOTDIR:
            Verdict(
                .unavailable,
                "there is no socket \(path). On the host: systemctl enable --now dokku-daemon.socket. In a container: mount its folder, \(folder)"
            )
        case EACCES, EPERM:
            Verdict(
                .denied, "you may not use \(path). On the host, its folder says who may: ls -ld \(folder)")
        case ECONNREFUSED:
            Verdict(
                .unavailable,
                "nobody listens at \(path). On the host: systemctl status dokku-daemon.socket. In a container: was the folder mounted, or only the socket?"
            )
        case ENAMETOOLONG: Verdict(.usage, "the path \(path) is too long for a socket")
        default: Verdict(.unavailable, "\(path): \(failure.reason)")
        }
    }

    private var folder: String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}

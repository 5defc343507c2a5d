// Who has connected: what is known of them at the accept, and what is asked for when the log is to name them.
//
// The control group tells containers apart. It is found by the process ID, and the process may have ended and another
// one may have its number. So the group counts only if it is certainly the peer's.
import CEpollShim
import Glibc

struct Caller {
    /// The peer without its control group.
    let peer: Peer
    /// The connection was accepted at this time or later.
    private let acceptedAt: BootTime

    init(_ peer: Peer, acceptedAt: BootTime) {
        self.peer = peer
        self.acceptedAt = acceptedAt
    }

    init(_ connection: borrowing Descriptor, at socket: ListeningSocket, acceptedAt: BootTime) {
        // If the kernel does not tell, the peer is nobody, not root.
        var credentials = shim_peer(pid: 0, uid: .max, gid: .max)
        _ = shim_peer_credentials(connection.number, &credentials)
        self.init(
            Peer(
                pid: credentials.pid, uid: credentials.uid, gid: credentials.gid, listener: socket.name,
                rules: socket.rules),
            acceptedAt: acceptedAt)
    }

    /// The peer with its control group as it is now, if that can be known. This takes a few system calls.
    func identified(through connection: borrowing Descriptor) -> Peer {
        var peer = peer
        peer.cgroup = cgroup(connection)
        return peer
    }

    private func cgroup(_ connection: borrowing Descriptor) -> String? {
        // A process of another PID namespace has no number here.
        guard peer.pid > 0 else { return nil }
        do throws(SystemError) {
            let process = Descriptor(owning: try connection.call("getsockopt") { shim_peer_pidfd($0) })
            let cgroup = ProcessFiles.cgroup(of: peer.pid)
            // As long as the process lives, no other one has its number.
            return process.isQuiet(POLLIN) ? cgroup : nil
        } catch {
            return error.number == ENOPROTOOPT ? likelyCgroup(connection) : nil
        }
    }

    /// Before Linux 6.5 nothing proves who had the number when the connection was made. The process that has it now must
    /// have had it at the accept, and the connection must still be open: a process that ends closes it, unless another
    /// one has it open, too.
    private func likelyCgroup(_ connection: borrowing Descriptor) -> String? {
        let cgroup = ProcessFiles.cgroup(of: peer.pid)
        return ProcessFiles.runs(peer.pid, since: acceptedAt) && connection.isQuiet(0) ? cgroup : nil
    }
}

extension Descriptor {
    /// True if poll(2) reports none of the events, and no hang-up.
    fileprivate borrowing func isQuiet(_ events: Int32) -> Bool {
        var query = pollfd(fd: number, events: Int16(events), revents: 0)
        return poll(&query, 1, 0) == 0
    }
}

// Who sent a request, as the kernel and the listener tell.
import DokkuProtocol

/// The peer of a connection, and the listener that it came through.
struct Peer: Sendable {
    var pid: Int32
    var uid: UInt32
    var gid: UInt32
    /// Its control group, which tells its container: the path in the unified hierarchy, cgroups(7), as the kernel
    /// gives it. Nil if it is not known for certain, and if it is the root.
    var cgroup: String?
    var listener: String
    /// The listener's rules.
    var rules = ListenerRules()

    var isRestricted: Bool { rules.isRestricted }
    func isOfSameSocket(as other: Peer) -> Bool { listener == other.listener && rules == other.rules }
    /// Whose the jobs are that it sends.
    var owner: ListenerRules.Owner { rules.owner }
}

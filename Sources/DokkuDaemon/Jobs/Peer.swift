// Who sent a request, as the kernel and the listener tell.

/// The peer of a connection, and the listener that it came through.
struct Peer: Sendable {
    var pid: Int32
    var uid: UInt32
    var gid: UInt32
    /// Its control group, which tells its container: the path in the unified hierarchy, cgroups(7), as the kernel
    /// gives it. Nil if it is not known for certain, and if it is the root.
    var cgroup: String?
    var listener: String
    /// Whether the listener's rules make it restricted.
    var isRestricted = false
}

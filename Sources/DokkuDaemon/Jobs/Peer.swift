// Who sent a request, as the kernel and the listener tell.

/// The peer of a connection, and the listener that it came through.
struct Peer: Sendable {
    var pid: Int32
    var uid: UInt32
    var gid: UInt32
    var listener: String
    /// Whether the listener's rules make it restricted.
    var isRestricted = false
}

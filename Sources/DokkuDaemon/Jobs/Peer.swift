// Whose request it is, as the kernel and the listener tell.

/// Who sent a request: the peer of its connection, and the listener it came through.
struct Peer: Sendable {
    var pid: Int32
    var uid: UInt32
    var gid: UInt32
    var listener: String
    /// The listener's options make it `isRestricted`.
    var isRestricted = false
}

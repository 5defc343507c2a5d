// What one connection may hold, and what all may hold together.

struct ServerLimits {
    /// Bytes of a line.
    var line: Int
    /// Bytes of one request's input.
    var input: Int
    /// How long no byte of an input may come; nil for no limit.
    var inputTime: Duration?
    /// Bytes of the unfinished lines of all clients.
    var buffer: Int
    var connections: Int
    /// Open JSON requests of one connection.
    var open: Int
    /// Descriptors from this number on are reserved for commands, so a connection with one is turned away.
    var descriptorEnd = Int.max
    /// The most connections at once that are only told that there are too many. Beyond them none is accepted.
    var turnedAway = 16
    /// If there are too many connections, one that was idle for this long makes room for another.
    var idleTime = Duration.seconds(60)
}

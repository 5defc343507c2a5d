// What one connection, or all of them, may hold.

struct ServerLimits {
    /// Bytes of a line.
    var line: Int
    /// Bytes of one request's input.
    var input: Int
    /// How long an input may bring nothing; nil for ever.
    var inputTime: Duration?
    /// Bytes of unfinished lines of all clients.
    var buffer: Int
    var connections: Int
    /// JSON requests of one connection.
    var open: Int
    /// A connection whose descriptor's number is not below this one takes what commands need.
    var descriptorEnd = Int.max
    /// Connections that are told that there are too many, at once; beyond them nobody is accepted.
    var turnedAway = 16
    /// If there are too many, one that was idle for so long gives way to another.
    var idleTime = Duration.seconds(60)
}

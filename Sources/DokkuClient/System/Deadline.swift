// A point in time until which the client waits.

struct Deadline {
    private let end: Int64

    init(milliseconds: Int32) { end = Clock.now + Int64(milliseconds) }

    /// Milliseconds, 0 if it has passed.
    var left: Int32 { Int32(max(0, end - Clock.now)) }
}

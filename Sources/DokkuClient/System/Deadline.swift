// A point in time until which the client waits.
import Glibc

struct Deadline {
    private let end: Int64

    init(milliseconds: Int32) { end = Self.now + Int64(milliseconds) }

    /// Milliseconds, 0 if it has passed.
    var left: Int32 { Int32(max(0, end - Self.now)) }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

// The two clocks: one for how long something takes, one for dates.
import Glibc

enum Clock {
    /// Milliseconds since some moment. It never goes back.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Seconds since 1970.
    static var date: Int64 { Int64(time(nil)) }
}

// The loop's clock: CLOCK_MONOTONIC, which setting the date does not affect.
import CEpollShim
import DokkuProtocol

/// A point in monotonic time.
struct Instant: Comparable, Sendable {
    let nanoseconds: Int64

    static var now: Instant { Instant(nanoseconds: shim_monotonic_nanoseconds()) }

    static func < (one: Instant, other: Instant) -> Bool { one.nanoseconds < other.nanoseconds }

    static func - (one: Instant, other: Instant) -> Duration {
        .nanoseconds(one.nanoseconds - other.nanoseconds)
    }

    static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }
}

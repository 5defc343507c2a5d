// The clock of the loop: CLOCK_MONOTONIC, which no change of the date moves.
import CEpollShim

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

extension Duration {
    /// In nanoseconds, as much as an Int64 holds (292 years).
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? .max : sum
    }

    var wholeMilliseconds: Int64 { wholeNanoseconds / 1_000_000 }
}

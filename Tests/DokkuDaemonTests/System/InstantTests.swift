// Time as numbers, up to where they end.
import Testing

@testable import DokkuDaemon

@Suite struct InstantTests {
    @Test func `the clock goes on`() {
        let one = Instant.now
        #expect(Instant.now >= one)
        #expect(one + .seconds(1) > one)
        #expect((one + .milliseconds(1500)) - one == .milliseconds(1500))
    }

    @Test(
        arguments: [
            (Duration.zero, 0), (.nanoseconds(1), 1), (.seconds(2), 2_000_000_000),
            (.milliseconds(-3), -3_000_000),
            (.seconds(Int64.max), .max), (.seconds(Int64.min), .min),
            (.seconds(9_223_372_036), 9_223_372_036_000_000_000), (.seconds(9_223_372_037), .max),
        ] as [(Duration, Int64)])
    func `nanoseconds end where the number does`(duration: Duration, nanoseconds: Int64) {
        #expect(duration.wholeNanoseconds == nanoseconds)
    }

    @Test func `the end of time is not passed`() {
        #expect(Instant.now + .seconds(Int64.max) == Instant(nanoseconds: .max))
        #expect(Instant(nanoseconds: .max) + .nanoseconds(1) == Instant(nanoseconds: .max))
    }

    @Test func `milliseconds are whole`() {
        #expect(Duration.nanoseconds(2_999_999).wholeMilliseconds == 2)
        #expect(Duration.seconds(3).wholeMilliseconds == 3000)
    }
}

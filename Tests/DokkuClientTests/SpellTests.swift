// Durations and sizes as people say them.
import Testing

@Suite struct SpellTests {
    @Test(
        arguments: [
            (-5, "0 s"), (0, "0 s"), (40, "40 s"), (60, "1 min"), (185, "3 min 5 s"), (3599, "59 min 59 s"),
            (3600, "1 h"), (7380, "2 h 3 min"), (86_400, "1 d"), (273_600, "3 d 4 h"),
        ] as [(Int64, String)])
    func `whole seconds`(seconds: Int64, text: String) { #expect(Spell.duration(seconds) == text) }

    @Test(arguments: [
        (0, "0.0 s"), (17, "0.0 s"), (450, "0.5 s"), (9949, "9.9 s"), (9950, "10 s"), (61_400, "1 min 1 s"),
    ])
    func `milliseconds`(count: Int, text: String) {
        #expect(Spell.duration(.milliseconds(count)) == text)
    }

    @Test func `a duration beyond all clocks is one, too`() {
        #expect(!Spell.duration(Duration.seconds(Int64.max)).isEmpty)
        #expect(Spell.duration(Duration.seconds(-1)) == "0.0 s")
    }

    @Test(
        arguments: [
            (0, "0 B"), (999, "999 B"), (1500, "1.5 KB"), (20_000_000, "20 MB"), (UInt64.max, "18 EB"),
        ] as [(UInt64, String)])
    func sizes(bytes: UInt64, text: String) { #expect(Spell.size(bytes) == text) }

    @Test func `dates are in UTC`() {
        #expect(Spell.date(1_795_905_600) == "2026-11-28 22:40:00 UTC")
        #expect(Spell.stamp(1_795_905_600) == "2026-11-28T22:40:00Z")
    }
}

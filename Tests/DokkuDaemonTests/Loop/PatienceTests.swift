// A wait that begins anew with each sign of life.
import Testing

@testable import DokkuDaemon

@Suite struct PatienceTests {
    @Test func `patience ends so long after the last sign`() throws {
        let loop = try EventLoop()
        var hasEnded = false
        let patience = Patience(.milliseconds(100), loop: loop) { hasEnded = true }
        try loop.turn(waiting: .milliseconds(60))
        patience.renew()
        let renewed = loop.now
        try loop.turn(until: hasEnded)
        #expect(Instant.now - renewed >= .milliseconds(100))
    }

    @Test func `patience ends with its owner`() throws {
        let loop = try EventLoop()
        var patience: Patience? = Patience(.milliseconds(1), loop: loop) { Issue.record("nobody waits") }
        #expect(patience != nil)
        patience = nil
        loop.timers.fire(until: .now + .seconds(1))
    }
}

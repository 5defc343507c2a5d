// Steps that share the loop with its events.
import Testing

@testable import DokkuDaemon

@Suite struct TurnsTests {
    @Test func `steps are taken in their order, and those that are added meanwhile come last`() throws {
        let loop = try EventLoop()
        let turns = Turns(timers: loop.timers)
        var taken: [Int] = []
        turns.add {
            taken.append(1)
            turns.add { taken.append(3) }
        }
        turns.add { taken.append(2) }
        #expect(taken.isEmpty)
        try loop.turn(until: taken.count == 3, "the steps")
        #expect(taken == [1, 2, 3])
        turns.add { taken.append(4) }
        try loop.turn(until: taken.count == 4, "a step after a rest")
    }

    @Test func `a long step leaves the rest to a later turn of the loop`() throws {
        let loop = try EventLoop()
        let turns = Turns(timers: loop.timers)
        var taken = 0
        for _ in 0..<3 {
            turns.add {
                taken += 1
                let end = Instant.now + .milliseconds(5)
                while .now < end {}
            }
        }
        for count in 1...3 {
            try loop.turn(waiting: .seconds(60))
            #expect(taken == count)
        }
    }
}

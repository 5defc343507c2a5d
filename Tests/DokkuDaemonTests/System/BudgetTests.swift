// What all may use up together, what a part of them may, and what one may.
import Testing

@testable import DokkuDaemon

@Suite struct BudgetTests {
    @Test func `taken bytes are taken from the whole`() {
        let whole = Budget(limit: 10)
        let part = Budget(.upTo(6), of: whole)
        #expect(part.take(4) && whole.used == 4)
        #expect(!part.take(3) && part.used == 4 && whole.used == 4)
        #expect(whole.take(5))
        #expect(part.free == 1)
        #expect(!part.take(2) && part.take(1))
        part.give(5)
        #expect(part.used == 0 && whole.used == 5)
    }

    @Test func `nobody gets more than half of what is free`() {
        let whole = Budget(limit: 1 << 20)
        let parts = (0..<10).map { _ in Budget(.halfOfWhatIsFree, of: whole) }
        for (number, part) in parts.enumerated() {
            let half = 1 << (19 - number)
            #expect(part.free == half)
            // However it comes.
            #expect(part.take(half / 2) && part.take(half / 2) && !part.take(1))
        }
        for part in parts { part.give(part.used) }
        #expect(parts[3].take(1 << 19))
    }

    @Test func `restricted sockets leave a quarter`() {
        let whole = Budget(limit: 1000)
        let restricted = Budget(restrictedShareOf: whole)
        #expect(restricted.take(750) && !restricted.take(1))
        #expect(whole.free == 250)
        // Whatever the whole is used for, they get no more than there is.
        restricted.give(750)
        #expect(whole.take(900))
        #expect(restricted.free == 100)
        #expect(Budget(.halfOfWhatIsFree, of: restricted).free == 50)
    }

    @Test func `bytes that must be taken are counted`() {
        let whole = Budget(limit: 10)
        let part = Budget(.upTo(6), of: whole)
        #expect(part.takeAnyway(6))
        #expect(!part.takeAnyway(6))
        #expect(whole.used == 12 && whole.free == -2 && part.free == -6)
        #expect(part.take(0) && !part.take(1))
        part.give(12)
        #expect(whole.used == 0)
    }

    @Test func `a reservation lasts as long as it is held`() {
        let budget = Budget(limit: 10)
        var held = Reservation(7, of: budget)
        #expect(held != nil && budget.used == 7)
        #expect(Reservation(4, of: budget) == nil)
        held = nil
        #expect(budget.used == 0)
    }
}

// No number is given twice.
import Testing

@testable import DokkuDaemon

@Suite struct JobNumbersTests {
    private let numbers = JobNumbers()

    @Test func `numbers of earlier daemons are passed over`() {
        #expect(numbers.next == 1)
        #expect(numbers.pass(7) && numbers.next == 8)
        numbers.giveNext()
        #expect(numbers.pass(3) && numbers.pass(7) && numbers.next == 9)
    }

    @Test func `a number that was given is not passed over`() {
        #expect(numbers.pass(7))
        numbers.giveNext()
        #expect(!numbers.pass(8) && !numbers.pass(100) && numbers.next == 9)
    }

    @Test func `unknown numbers are below those that follow`() {
        numbers.passUnknown()
        let first = numbers.next
        numbers.giveNext()
        #expect(first > 1_700_000_000_000 && first < 1 << 53)
        #expect(numbers.pass(first - 1) && !numbers.pass(first))
    }
}

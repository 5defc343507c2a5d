// Timers in their order, without a loop: time is what the test says it is.
import Testing

@testable import DokkuDaemon

@Suite struct TimerQueueTests {
    private let timers = TimerQueue()
    private var far: Instant { .now + .seconds(1000) }

    @Test func `timers fire in the order of their deadlines`() {
        var fired: [Int] = []
        for seconds in [30, 10, 20, 5, 25] {
            _ = timers.schedule(after: .seconds(seconds)) { fired.append(seconds) }
        }
        timers.fire(until: far)
        #expect(fired == [5, 10, 20, 25, 30])
    }

    @Test func `a timer that is not due waits`() {
        var fired: [Int] = []
        for seconds in [1, 500] { _ = timers.schedule(after: .seconds(seconds)) { fired.append(seconds) } }
        timers.fire(until: .now)
        #expect(fired == [])
        timers.fire(until: .now + .seconds(100))
        #expect(fired == [1])
        timers.fire(until: far)
        timers.fire(until: far)
        #expect(fired == [1, 500])
    }

    @Test func `equal deadlines fire in the order in which they were made`() {
        var fired: [Int] = []
        // An instant that no clock reaches is the one deadline that several timers can surely share.
        for number in 0..<5 {
            _ = timers.schedule(after: .nanoseconds(Int64.max)) { fired.append(number) }
        }
        timers.fire(until: Instant(nanoseconds: .max))
        #expect(fired == [0, 1, 2, 3, 4])
    }

    @Test func `a cancelled timer does not fire`() {
        var fired: [Int] = []
        let made = (0..<3).map { number in
            timers.schedule(after: .seconds(number)) { fired.append(number) }
        }
        made[1].cancel()
        made[1].cancel()
        timers.fire(until: far)
        #expect(fired == [0, 2])
        made[0].cancel()
    }

    @Test func `a timer may cancel others that are due with it`() {
        var fired: [Int] = []
        var made: [Timer] = []
        for number in 0..<40 {
            made.append(
                timers.schedule(after: .seconds(number)) {
                    fired.append(number)
                    // Enough to have the queue swept while it fires.
                    for timer in made.dropFirst().dropLast() { timer.cancel() }
                })
        }
        timers.fire(until: far)
        #expect(fired == [0, 39])
    }

    @Test func `a timer may make another`() {
        var fired: [String] = []
        _ = timers.schedule(after: .seconds(1)) { [timers] in
            fired.append("first")
            _ = timers.schedule(after: .seconds(2000)) { fired.append("late") }
            _ = timers.schedule(after: .seconds(1)) { fired.append("soon") }
        }
        timers.fire(until: far)
        #expect(fired == ["first", "soon"])
    }

    @Test func `a timer that makes itself again at once does not fire for ever`() {
        var count = 0
        var isOver = false
        func again() {
            if isOver { return }
            count += 1
            _ = timers.schedule(after: .zero, again)
        }
        _ = timers.schedule(after: .zero, again)
        timers.fire(until: .now)
        timers.fire(until: .now)
        #expect(count >= 1 && count <= 2)
        isOver = true
        timers.fire(until: .now)
    }

    @Test func `a cancelled timer lets go at once of what it held`() {
        final class Held {}
        weak var held: Held?
        let timer: Timer
        do {
            let value = Held()
            held = value
            timer = timers.schedule(after: .seconds(1000)) { withExtendedLifetime(value) {} }
        }
        #expect(held != nil)
        timer.cancel()
        #expect(held == nil)
    }

    @Test func `many cancelled timers leave the queue`() {
        weak var first: Timer?
        var fired = false
        _ = timers.schedule(after: .seconds(1)) { fired = true }
        for number in 0..<1000 {
            let timer = timers.schedule(after: .seconds(900)) {}
            timer.cancel()
            if number == 0 { first = timer }
        }
        // Only the queue could still hold it.
        #expect(first == nil)
        timers.fire(until: far)
        #expect(fired)
    }

    @Test func `a timer may be cancelled after its queue is gone`() {
        var queue: TimerQueue? = TimerQueue()
        let timer = queue?.schedule(after: .seconds(1)) {}
        queue = nil
        timer?.cancel()
    }

    // MARK: How long to wait

    @Test func `an empty queue waits for nothing`() {
        #expect(timers.millisecondsToNext(limit: nil) == -1)
        #expect(timers.millisecondsToNext(limit: .milliseconds(7)) == 7)
        #expect(timers.millisecondsToNext(limit: .nanoseconds(1)) == 1)
        #expect(timers.millisecondsToNext(limit: .zero) == 0)
    }

    @Test func `the wait is for the next timer and rounded up`() {
        let timer = timers.schedule(after: .milliseconds(90_000)) {}
        let wait = timers.millisecondsToNext(limit: nil)
        #expect(wait > 80_000 && wait <= 90_000)
        #expect(timers.millisecondsToNext(limit: .milliseconds(3)) == 3)
        timer.cancel()
        #expect(timers.millisecondsToNext(limit: nil) == -1)
    }

    @Test func `an overdue timer is not waited for`() {
        _ = timers.schedule(after: .seconds(-5)) {}
        #expect(timers.millisecondsToNext(limit: nil) == 0)
    }

    @Test func `a wait of centuries is as long as epoll can wait`() {
        _ = timers.schedule(after: .seconds(1 << 60)) {}
        #expect(timers.millisecondsToNext(limit: nil) == .max)
    }
}

// The loop, stepped by hand over socket pairs.
import CEpollShim
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite final class EventLoopTests {
    private let loop: EventLoop
    /// An end that nobody holds any more would hang up on the other.
    private var kept: [ConnectedPair] = []

    init() throws { loop = try EventLoop() }

    private func connect(_ interest: Interest? = .read) throws -> (Recorder, ConnectedPair) {
        let ends = try ConnectedPair.sockets()
        kept.append(ends)
        return (Recorder(try ends.takeOurs(), in: loop, interest: interest), ends)
    }

    // MARK: Events

    @Test func `a ready descriptor is handed out and settled`() throws {
        let (handler, ends) = try connect()
        try loop.turnOnce()
        #expect(handler.seen == [])
        #expect(handler.settleCount == 1)
        try ends.send("x")
        try loop.turnOnce()
        #expect(handler.seen == [.readable])
        #expect(handler.settleCount == 2)
    }

    @Test func `unread input is reported again`() throws {
        let (handler, ends) = try connect()
        try ends.send("x")
        try loop.turnOnce()
        try loop.turnOnce()
        #expect(handler.seen == [.readable, .readable])
    }

    @Test func `a handler that is added before a turn gets its events in it`() throws {
        let (handler, ends) = try connect([.read, .write])
        try ends.send("x")
        try loop.turnOnce()
        #expect(handler.seen == [[.readable, .writable]])
    }

    @Test func `an empty interest still learns of a hang-up`() throws {
        let (handler, ends) = try connect([])
        try ends.send("x")
        try loop.turnOnce()
        #expect(handler.seen == [])
        ends.closeTheirs()
        try loop.turnOnce()
        #expect(handler.seen.count == 1)
        #expect(handler.seen.first?.contains(.hungUp) == true)
    }

    @Test func `no interest learns of nothing and wakes nobody`() throws {
        let (handler, ends) = try connect()
        try loop.turnOnce()
        handler.interest = nil
        handler.mark()
        try loop.turnOnce()
        ends.closeTheirs()
        var isOver = false
        let timer = loop.timers.schedule(after: .milliseconds(5)) { isOver = true }
        defer { timer.cancel() }
        // The timer alone ends this turn: a hang-up that epoll still reported would end it at once.
        try loop.turn(waiting: nil)
        #expect(isOver)
        #expect(handler.seen == [])
        handler.interest = []
        handler.mark()
        try loop.turnOnce()
        #expect(handler.seen.first?.contains(.hungUp) == true)
    }

    @Test func `no interest from the start is not told to epoll`() throws {
        let (handler, ends) = try connect(nil)
        ends.closeTheirs()
        try loop.turnOnce()
        #expect(handler.settleCount == 1)
        #expect(handler.seen == [])
    }

    @Test func `many events take more turns and nobody is forgotten`() throws {
        let connected = try (0..<100).map { _ in try connect() }
        for (_, ends) in connected { try ends.send("x") }
        for (handler, _) in connected { handler.onReady = { $0.close() } }
        for _ in 0..<2 { try loop.turnOnce() }
        #expect(connected.allSatisfy { $0.0.seen == [.readable] })
    }

    // MARK: Interest that ends

    @Test func `interest that ends is told late and the event is kept back`() throws {
        let (handler, ends) = try connect()
        try loop.turnOnce()
        handler.interest = []
        handler.mark()
        try loop.turnOnce()
        try ends.send("x")
        // The kernel still knows the old interest: it wakes the loop once, and nobody hears of it.
        try loop.turnOnce()
        #expect(handler.seen == [])
        var isOver = false
        _ = loop.timers.schedule(after: .milliseconds(5)) { isOver = true }
        try loop.turn(waiting: nil)
        #expect(isOver)
        #expect(handler.seen == [])
    }

    @Test func `interest that returns finds what came meanwhile`() throws {
        let (handler, ends) = try connect()
        try loop.turnOnce()
        handler.interest = []
        handler.mark()
        try ends.send("x")
        try loop.turnOnce()
        handler.interest = .read
        handler.mark()
        try loop.turnOnce()
        #expect(handler.seen == [.readable])
    }

    @Test func `an event that is half wanted is delivered`() throws {
        let (handler, ends) = try connect([.read, .write])
        try ends.send("x")
        try loop.turnOnce()
        handler.interest = .read
        handler.mark()
        handler.forget()
        try loop.turnOnce()
        #expect(handler.seen.first?.contains(.readable) == true)
    }

    // MARK: Handlers that come and go

    @Test func `a stale event for a reused number finds nobody`() throws {
        let connected = try (0..<2).map { _ in try connect() }
        for (_, ends) in connected { try ends.send("x") }
        var heir: (handler: Recorder, ends: ConnectedPair)?
        // Whichever is told first closes the other, and somebody else gets its number in the same turn.
        for (index, (handler, _)) in connected.enumerated() {
            let other = connected[1 - index].0
            handler.onReady = { [loop] _ in
                guard heir == nil else { return }
                do {
                    let ends = try ConnectedPair.sockets()
                    heir = (Recorder(other.makeWay(for: try ends.takeOurs()), in: loop), ends)
                } catch {
                    Issue.record(error)
                }
            }
        }
        try loop.turnOnce()
        #expect(connected.map(\.0.seen.count).reduce(0, +) == 1)
        let new = try #require(heir)
        #expect(new.handler.seen == [])
        #expect(new.handler.settleCount == 1)
        try new.ends.send("x")
        try loop.turnOnce()
        #expect(new.handler.seen == [.readable])
    }

    @Test func `a handler may leave in its callback`() throws {
        let (handler, ends) = try connect()
        try ends.send("x")
        handler.onReady = { $0.close() }
        try loop.turnOnce()
        #expect(handler.seen == [.readable])
        #expect(handler.settleCount == 1)
        #expect(ends.hasEnded())
        try loop.turnOnce()
        #expect(handler.seen.count == 1)
    }

    @Test func `a handler may leave while it settles`() throws {
        let (handler, _) = try connect()
        handler.onSettle = { $0.close() }
        try loop.turnOnce()
        handler.mark()
        try loop.turnOnce()
        #expect(handler.settleCount == 1)
    }

    @Test func `a handler may send others away`() throws {
        let connected = try (0..<3).map { _ in try connect() }
        for (_, ends) in connected { try ends.send("x") }
        for (handler, _) in connected {
            handler.onReady = { _ in for (other, _) in connected { other.close() } }
        }
        defer { for (handler, _) in connected { handler.onReady = { _ in } } }
        try loop.turnOnce()
        #expect(connected.map(\.0.seen.count).reduce(0, +) == 1)
    }

    @Test func `the loop keeps a handler until it leaves`() throws {
        weak var held: Recorder?
        let ends = try ConnectedPair.sockets()
        do {
            let handler = Recorder(try ends.takeOurs(), in: loop)
            held = handler
        }
        try loop.turnOnce()
        #expect(held != nil)
        held?.close()
        #expect(held == nil)
        #expect(ends.hasEnded())
    }

    @Test func `a shared descriptor leaves epoll`() throws {
        let (handler, ends) = try connect()
        let copy = Descriptor(owning: dup(handler.number))
        try loop.turnOnce()
        handler.leave()
        try ends.send("x")
        var isOver = false
        _ = loop.timers.schedule(after: .milliseconds(5)) { isOver = true }
        try loop.turn(waiting: nil)
        #expect(isOver)
        #expect(handler.seen == [])
        #expect(copy.number >= 0)
    }

    @Test func `leaving twice harms nobody`() throws {
        let (handler, _) = try connect()
        let token = try #require(handler.token)
        let ends = try ConnectedPair.sockets()
        let heir = Recorder(handler.makeWay(for: try ends.takeOurs()), in: loop)
        loop.remove(token)
        loop.mark(token)
        try ends.send("x")
        try loop.turnOnce()
        #expect(heir.seen == [.readable])
    }

    // MARK: Settling

    @Test func `handlers may mark each other within a turn`() throws {
        let (one, _) = try connect()
        let (other, _) = try connect()
        try loop.turnOnce()
        let before = other.settleCount
        one.onSettle = { _ in other.mark() }
        one.mark()
        try loop.turnOnce()
        #expect(other.settleCount == before + 1)
    }

    @Test func `a handler that marks itself again and again lets others have their turn`() throws {
        let (restless, _) = try connect()
        let (other, ends) = try connect()
        restless.onSettle = { $0.mark() }
        try ends.send("x")
        try loop.turnOnce()
        #expect(other.seen == [.readable])
        let rounds = restless.settleCount
        #expect(rounds <= 8)
        // It is not forgotten either, and nothing waits for events meanwhile.
        try loop.turn(waiting: nil)
        #expect(restless.settleCount > rounds)
    }

    @Test func `a handler that is marked twice settles once`() throws {
        let (handler, _) = try connect()
        try loop.turnOnce()
        handler.mark()
        handler.mark()
        try loop.turnOnce()
        #expect(handler.settleCount == 2)
    }

    /// Turns until the time is over, and says how often.
    private func turns(in time: Duration) throws -> Int {
        var isOver = false
        var count = 0
        let timer = loop.timers.schedule(after: time) { isOver = true }
        defer { timer.cancel() }
        while !isOver {
            try loop.turn(waiting: nil)
            count += 1
        }
        return count
    }

    @Test func `a registration that the kernel refuses is tried again after a pause`() throws {
        // Regular files cannot be watched: an error as a lack of memory would be.
        let folder = try Folder()
        let file = try Descriptor.open(folder.path("file"), O_RDWR | O_CREAT, mode: 0o600)
        let handler = Recorder(file, in: loop)
        let count = try turns(in: .milliseconds(500))
        #expect((2...20).contains(count))
        #expect((2...20).contains(handler.settleCount))
        #expect(handler.seen == [])
        // Something else behind the number, and all is well.
        let ends = try ConnectedPair.sockets()
        let end = try ends.takeOurs()
        try #require(dup2(end.number, handler.number) == handler.number)
        try ends.send("x")
        try loop.turn(until: handler.seen == [.readable])
        handler.close()
    }

    @Test func `a descriptor that the kernel does not let go of keeps nobody busy`() throws {
        let (handler, ends) = try connect()
        try loop.turnOnce()
        handler.interest = []
        handler.mark()
        try loop.turnOnce()
        // The kernel reports the old file, and knows none by the number it is told.
        let copy = Descriptor(owning: dup(handler.number))
        let null = try Descriptor.open("/dev/null", O_RDONLY)
        try #require(dup2(null.number, handler.number) == handler.number)
        try ends.send("x")
        let count = try turns(in: .milliseconds(500))
        #expect(count < 100)
        #expect(handler.seen == [])
        // Others are served meanwhile.
        let (other, otherEnds) = try connect()
        try otherEnds.send("y")
        try loop.turn(until: other.seen == [.readable])
        #expect(copy.number >= 0)
    }

    // MARK: Running

    @Test func `run returns at the end of the turn that stops it`() throws {
        let (handler, ends) = try connect()
        try ends.send("x")
        handler.onReady = { [loop] _ in loop.stop() }
        try loop.run()
        #expect(handler.seen == [.readable])
        #expect(handler.settleCount == 2)
    }

    /// What settles before a turn waits may be the last that was waited for.
    @Test func `a stop before the wait is not slept through`() throws {
        let (handler, _) = try connect()
        handler.onSettle = { [loop] _ in loop.stop() }
        var isOverdue = false
        let timer = loop.timers.schedule(after: .seconds(10)) { isOverdue = true }
        defer { timer.cancel() }
        try loop.run()
        #expect(!isOverdue)
    }

    @Test func `time stands still within a turn`() throws {
        let (handler, ends) = try connect()
        try ends.send("x")
        var times: [Instant] = []
        handler.onReady = { [loop] _ in times.append(loop.now) }
        let before = Instant.now
        _ = loop.timers.schedule(after: .zero) { [loop] in times.append(loop.now) }
        try loop.turnOnce()
        #expect(times.count == 2)
        #expect(times.first == times.last)
        #expect(try #require(times.first) >= before)
    }
}

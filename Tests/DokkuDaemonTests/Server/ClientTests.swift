// One connection between its socket and whoever takes its lines, stepped by hand.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite final class ClientTests: ClientOwner {
    private let folder: Folder
    private let loop: EventLoop
    private let ends: ConnectedPair
    private let taker = Taker()
    private var closed: [Bool] = []
    private var keepsLines = true

    var readLimit: Int { ReadBuffer.size }
    func didBuffer(_ count: Int, isRestricted: Bool, was accounted: inout Int) -> Bool {
        keepsLines || count == 0
    }
    func didClose(_ number: Int32, isRestricted: Bool, wasServed: Bool) { closed.append(wasServed) }

    init() throws {
        folder = try Folder()
        loop = try EventLoop()
        ends = try ConnectedPair.sockets()
    }

    /// Notes lines, and answers them when the test says so.
    private final class Taker: RequestTaker {
        final class Request: OpenRequest {
            let isPlain: Bool
            private(set) var hasClientLeft = false
            init(isPlain: Bool) { self.isPlain = isPlain }
            func clientDidLeave() { hasClientLeft = true }
            func readerDidAdvance() {}
        }

        private(set) var lines: [String] = []
        private(set) var open: [Request] = []
        private(set) weak var client: (any Requester)?

        func take(_ line: ArraySlice<UInt8>, with handOver: HandOver, from client: any Requester) {
            note(String(decoding: line, as: UTF8.self), isPlain: line.first != UInt8(ascii: "{"), client)
        }

        func refuseLine(from client: any Requester, _ refusal: Refusal, isJSON: Bool) {
            note(refusal.code.rawValue, isPlain: !isJSON, client)
        }

        func turnAway(_ line: ArraySlice<UInt8>, _ refusal: Refusal, from client: any Requester) {
            lines.append("turned away")
        }

        private func note(_ line: String, isPlain: Bool, _ client: any Requester) {
            let request = Request(isPlain: isPlain)
            lines.append(line)
            open.append(request)
            self.client = client
            client.didOpen(request)
        }

        func answer(_ text: String) {
            let request = open.removeFirst()
            client?.send { $0 += Array("\(text)\n".utf8) }
            client?.didAnswer(request)
        }
    }

    private func client(
        _ options: ListenerOptions = [], open: Int = 2, refusal: Refusal? = nil
    ) throws -> Client {
        let context = ClientContext(
            loop: loop, limits: ServerLimits(line: 20, input: 100, buffer: 100, connections: 1, open: open),
            allotment: Allotment(
                spool: SpoolAccount(folder: folder.path, limit: 1 << 20), words: Budget(limit: 1000),
                places: Budget(limit: 10)),
            log: AuditLog(path: nil) { _ in }, requests: taker, owner: self)
        return Client(
            try ends.takeOurs(), caller: Caller(.sample, acceptedAt: .now), rules: ListenerRules(options),
            refusal: refusal, context: context)
    }

    /// What the test did has first to be settled, which may be all.
    private func turn(until condition: @autoclosure () -> Bool) throws {
        try loop.turnOnce()
        try loop.turn(until: condition(), "what the test waits for")
    }

    private func receive() throws -> String {
        var text = ""
        try turn(
            until: {
                text = (try? String(decoding: ends.receive(), as: UTF8.self)) ?? ""
                return !text.isEmpty
            }())
        return text
    }

    @Test func `a plain line waits for the one before it`() throws {
        let client = try client()
        defer { client.close() }
        try ends.send("one\ntwo\n")
        try turn(until: !taker.lines.isEmpty)
        #expect(taker.lines == ["one"] && client.idleSince == nil)
        taker.answer("1")
        #expect(try receive() == "1\n")
        try turn(until: taker.lines == ["one", "two"])
        taker.answer("2")
        #expect(try receive() == "2\n")
        #expect(client.idleSince != nil && closed == [])
    }

    @Test func `a limited number of JSON requests are open at once`() throws {
        let client = try client(open: 2)
        defer { client.close() }
        try ends.send("{1\n{2\n{3\n")
        try turn(until: taker.lines.count == 2)
        try loop.turnOnce()
        #expect(taker.lines == ["{1", "{2"])
        taker.answer("1")
        try turn(until: taker.lines == ["{1", "{2", "{3"])
    }

    @Test func `a half-close makes the rest a line and ends when all is answered`() throws {
        let client = try client()
        defer { client.close() }
        try ends.send("one\nrest")
        try #require(shutdown(ends.theirNumber, Int32(SHUT_WR)) == 0)
        try turn(until: taker.lines == ["one"])
        taker.answer("1")
        try turn(until: taker.lines == ["one", "rest"])
        #expect(closed == [])
        taker.answer("2")
        try turn(until: closed == [true])
        #expect(try ends.receive() == Array("1\n2\n".utf8))
        #expect(ends.hasEnded() && client.hasGone && client.unsentCount == 0)
    }

    @Test func `an open request learns that its client has left`() throws {
        let client = try client()
        defer { client.close() }
        try ends.send("{1\n")
        try turn(until: taker.lines == ["{1"])
        ends.closeTheirs()
        try turn(until: taker.open[0].hasClientLeft)
        #expect(client.hasGone)
        taker.answer("1")
        try turn(until: closed == [true])
    }

    /// Whatever comes later is of no use, and sending to it is no fault.
    @Test func `a closed client answers as one that has gone`() throws {
        let client = try client()
        defer { client.close() }
        client.close()
        client.close()
        #expect(closed == [true] && client.hasGone && client.unsentCount == 0 && !client.giveWay())
        #expect(client.send { $0 += [1] })
        client.stop()
        client.hurry()
        try loop.turnOnce()
        #expect(ends.hasEnded())
    }

    @Test func `a line that is too long is refused at its end`() throws {
        let client = try client()
        defer { client.close() }
        try ends.send(String(repeating: "x", count: 30) + "\nnext\n")
        try turn(until: taker.lines == ["line_too_long"])
        taker.answer("1")
        try turn(until: taker.lines == ["line_too_long", "next"])
    }

    @Test func `a line for which there is no room is dropped`() throws {
        let client = try client()
        defer { client.close() }
        keepsLines = false
        try ends.send("begun")
        try loop.turnOnce()
        keepsLines = true
        try ends.send(" and ended\n")
        try turn(until: taker.lines == ["buffer_full"])
    }

    @Test func `one-shot takes one line and ends`() throws {
        let client = try client(.oneShot)
        defer { client.close() }
        try ends.send("one\ntwo\n")
        try turn(until: taker.lines == ["one"])
        taker.answer("1")
        #expect(try receive() == "1\n")
        try turn(until: ends.hasEnded())
        #expect(taker.lines == ["one"])
        ends.closeTheirs()
        try turn(until: closed == [true])
    }

    @Test func `a stop takes what was there and nothing else`() throws {
        let client = try client()
        defer { client.close() }
        try ends.send("one\ntwo\n")
        client.stop()
        try ends.send("three\n")
        try turn(until: taker.lines == ["one"])
        taker.answer("1")
        try turn(until: taker.lines == ["one", "two"])
        taker.answer("2")
        ends.closeTheirs()
        try turn(until: closed == [true])
        #expect(taker.lines == ["one", "two"])
    }

    /// It takes longer than a client may take to read.
    @Test func `who is owed an answer is waited for when nothing runs any more`() throws {
        let client = try client()
        defer { client.close() }
        try ends.send("one\n")
        try turn(until: taker.lines == ["one"])
        client.seeOff(since: .now)
        _ = loop.timers.schedule(after: .seconds(6)) { [taker] in taker.answer("1") }
        try turn(until: taker.open.isEmpty)
        #expect(closed.isEmpty)
        #expect(try receive() == "1\n")
    }

    @Test func `a client that is not served is told so and let go of`() throws {
        let client = try client(refusal: .tooManyConnections)
        defer { client.close() }
        try ends.send("one\n")
        try turn(until: taker.lines == ["turned away"])
        ends.closeTheirs()
        try turn(until: closed == [false])
    }
}

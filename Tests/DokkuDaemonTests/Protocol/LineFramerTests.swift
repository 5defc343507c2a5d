// Lines, overlong ones and bodies, wherever the bytes are cut.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct LineFramerTests {
    /// Every event of `chunks`, taken as soon as it is there.
    private func events(_ chunks: [ArraySlice<UInt8>], limit: Int = 8, finishing: Bool = true) -> [String] {
        var framer = LineFramer(maximumLength: limit)
        var events: [String] = []
        for chunk in chunks {
            framer.append(chunk.span)
            while let event = framer.next() { events.append(describe(event)) }
        }
        while finishing, let event = framer.finish() { events.append(describe(event)) }
        return events
    }

    private func describe(_ event: LineFramer.Event) -> String {
        switch event {
        case .line(let line): text(line)
        case .skipped: "SKIPPED"
        }
    }

    private func framer(_ content: String, limit: Int = 100) -> LineFramer {
        var framer = LineFramer(maximumLength: limit)
        framer.append(bytes(content).span)
        return framer
    }

    @Test(arguments: [
        ("", []),
        ("a\nbc\n", ["a", "bc"]),
        ("\n\n", ["", ""]),
        ("a\r\nb\r\r\n\r\n", ["a", "b\r", ""]),
        ("a\rb\n", ["a\rb"]),
        ("12345678\n123456789\nx\n", ["12345678", "SKIPPED", "x"]),
        ("12345678\r\n123456789\r\n", ["12345678", "SKIPPED"]),
        ("123456789012345678901234567890\n1\n", ["SKIPPED", "1"]),
        ("a\nrest", ["a", "rest"]),
        ("a\nrest\r", ["a", "rest"]),
        ("a\n1234567890", ["a", "SKIPPED"]),
    ])
    func `lines are the same however they are cut`(input: String, expected: [String]) {
        for chunks in cuts(bytes(input)) { #expect(events(chunks) == expected, "\(chunks.map { text($0) })") }
    }

    @Test func `a line without its end is no event`() {
        #expect(events([bytes("a\nbc")[...]], finishing: false) == ["a"])
        #expect(events([bytes("1234567890")[...]], finishing: false) == [])
    }

    @Test func `lines wait for their turn`() {
        var framer = framer("a\nb\n")
        #expect(framer.hasCompleteLine)
        #expect(framer.next() == .line(bytes("a")[...]))
        framer.append(bytes("c\nd").span)
        #expect(framer.bufferedBytes == 5)
        #expect(framer.next() == .line(bytes("b")[...]))
        #expect(framer.next() == .line(bytes("c")[...]))
        #expect(!framer.hasCompleteLine)
        #expect(framer.next() == nil)
        #expect(framer.bufferedBytes == 1)
    }

    @Test func `finish gives waiting lines first`() {
        var framer = framer("a\nb")
        #expect(framer.finish() == .line(bytes("a")[...]))
        #expect(framer.finish() == .line(bytes("b")[...]))
        #expect(framer.finish() == nil)
    }

    @Test func `an overlong line takes no memory`() {
        var framer = LineFramer(maximumLength: 10)
        let chunk = [UInt8](repeating: 0x41, count: 1000)
        for _ in 0..<1000 {
            framer.append(chunk.span)
            #expect(framer.next() == nil)
            #expect(framer.bufferedBytes == 0)
        }
        framer.append(bytes("B\nnext\n").span)
        #expect(framer.hasCompleteLine)
        #expect(framer.next() == .skipped(.tooLong, isJSON: false))
        #expect(framer.next() == .line(bytes("next")[...]))
        #expect(framer.next() == nil)
    }

    @Test func `a return does not count towards the limit`() {
        for parts in [["1234567890\r\n"], ["1234567890\r", "\n"], ["1234567890", "\r", "\n"]] {
            var framer = LineFramer(maximumLength: 10)
            for part in parts.dropLast() {
                framer.append(bytes(part).span)
                #expect(framer.next() == nil)
            }
            framer.append(bytes(parts[parts.count - 1]).span)
            #expect(framer.next() == .line(bytes("1234567890")[...]))
        }
        for line in ["1234567890\rx\n", "1234567890\r\r\n", "12345678901\n", "12345678901\r\n"] {
            var framer = framer(line, limit: 10)
            #expect(framer.next() == .skipped(.tooLong, isJSON: false), "\(line)")
        }
    }

    @Test func `a short line is taken in the place of a body`() {
        var framer = framer("head\n12\nbody345", limit: 100)
        #expect(framer.next() == .line(bytes("head")[...]))
        guard case .line(let line) = framer.takeShort(2) else {
            Issue.record("the short line is missing")
            return
        }
        #expect(line == bytes("12")[...])
        #expect(framer.takeBody(4) == bytes("body")[...])
        guard case .unfinished = framer.takeShort(3), case .tooLong = framer.takeShort(2) else {
            Issue.record("it is not finished, and longer than 2")
            return
        }
    }

    @Test func `the rest is dropped`() {
        var rest = framer("a\nhalf")
        #expect(rest.dropRest() == 4)
        #expect(rest.next() == .line(bytes("a")[...]))
        #expect(rest.finish() == nil)

        var overlong = framer("123456789012", limit: 10)
        #expect(overlong.next() == nil)
        overlong.append(bytes("345").span)
        #expect(overlong.dropRest() == 15)
        #expect(overlong.dropRest() == 0)
        overlong.append(bytes("b\n").span)
        #expect(overlong.next() == .line(bytes("b")[...]))
    }

    @Test func `a skipped line keeps its place`() {
        var framer = framer("half")
        framer.skipCurrentLine(.crowdedOut)
        #expect(framer.bufferedBytes == 0)
        framer.append(bytes("more").span)
        framer.append(bytes("end\nb\nagain").span)
        #expect(framer.next() == .skipped(.crowdedOut, isJSON: false))
        #expect(framer.next() == .line(bytes("b")[...]))
        framer.skipCurrentLine(.crowdedOut)
        framer.append(bytes("\n\nlast").span)
        var seen: [String] = []
        while let event = framer.finish() { seen.append(describe(event)) }
        #expect(seen == ["SKIPPED", "", "last"])
    }

    @Test func `bytes that may be a body are not skipped`() {
        var framer = framer("head\nbody")
        framer.skipCurrentLine(.crowdedOut)
        #expect(framer.next() == .line(bytes("head")[...]))
        #expect(framer.takeBody(4) == bytes("body")[...])
    }

    @Test func `nothing is skipped if there is nothing to skip`() {
        var framer = framer("a\n")
        framer.skipCurrentLine(.crowdedOut)
        #expect(framer.next() == .line(bytes("a")[...]))
        framer.skipCurrentLine(.crowdedOut)
        framer.append(bytes("b\n").span)
        #expect(framer.next() == .line(bytes("b")[...]))
    }

    @Test func `a skipped line may be the last`() {
        var framer = framer("half")
        framer.skipCurrentLine(.crowdedOut)
        #expect(framer.finish() == .skipped(.crowdedOut, isJSON: false))
        #expect(framer.finish() == nil)
    }

    @Test func `bodies are taken byte by byte`() {
        var framer = framer("head\n\nbo\ndy\nafter\n")
        #expect(framer.next() == .line(bytes("head")[...]))
        #expect(framer.takeBody(3) == bytes("\nbo")[...])
        #expect(framer.takeBody(3) == bytes("\ndy")[...])
        #expect(framer.next() == .line([]))
        #expect(framer.next() == .line(bytes("after")[...]))
        #expect(framer.takeBody(10) == [])
    }

    @Test func `a body longer than a line is kept`() {
        let body = String(repeating: "x", count: 500)
        var framer = framer("head\n" + body + "tail\n", limit: 10)
        #expect(framer.next() == .line(bytes("head")[...]))
        #expect(text(framer.takeBody(500)) == body)
        #expect(framer.next() == .line(bytes("tail")[...]))
    }

    @Test func `a body may take several reads`() {
        var framer = framer("head\nab")
        #expect(framer.next() == .line(bytes("head")[...]))
        #expect(framer.takeBody(5) == bytes("ab")[...])
        framer.append(bytes("\ncdnext").span)
        #expect(framer.takeBody(3) == bytes("\ncd")[...])
        #expect(framer.next() == nil)
        framer.append(bytes("\n").span)
        #expect(framer.next() == .line(bytes("next")[...]))
    }

    @Test func `many lines and one long line take linear time`() {
        var framer = LineFramer(maximumLength: 1 << 20)
        var lines = 0
        let short = [UInt8](repeating: UInt8(ascii: "\n"), count: 200_000)
        framer.append(short.span)
        while framer.next() != nil { lines += 1 }
        #expect(lines == 200_000)
        let piece = [UInt8](repeating: 0x41, count: 8)
        for _ in 0..<(1 << 17) {
            framer.append(piece.span)
            if framer.next() != nil { lines += 1 }
        }
        framer.append(bytes("\n").span)
        guard case .line(let long) = framer.next() else {
            Issue.record("the long line is missing")
            return
        }
        #expect(long.count == 1 << 20)
        #expect(lines == 200_000)
    }

    @Test func `the beginning of an overlong line is known`() {
        var framer = LineFramer(maximumLength: 4)
        framer.append(Array(" {\"id\":1".utf8).span)
        #expect(framer.next() == nil)
        framer.append(Array("}\n{23456\n123456\n".utf8).span)
        #expect(framer.next() == .skipped(.tooLong, isJSON: true))
        #expect(framer.next() == .skipped(.tooLong, isJSON: true))
        #expect(framer.next() == .skipped(.tooLong, isJSON: false))
        #expect(framer.bufferedBytes == 0)
    }
}

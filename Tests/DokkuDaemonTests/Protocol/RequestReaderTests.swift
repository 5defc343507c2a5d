// What a client sends comes out in order, however it is cut: lines, inputs of both forms, and what is left at the end.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct RequestReaderTests {
    /// Keeps an input, or that it ended otherwise.
    private final class Sink: InputSink {
        var bytes: [UInt8] = []
        var ends: [InputEnd] = []

        func receive(_ bytes: ArraySlice<UInt8>) { self.bytes += bytes }
        func end(_ end: InputEnd) { ends.append(end) }
    }

    /// A line `bN` is a request with N bytes of input, `c` one with chunks.
    private struct ReadLines {
        var reader: RequestReader
        var seen: [String] = []
        private var input = Sink()

        init(takesOneRequest: Bool = false, limit: Int = 1000) {
            reader = RequestReader(lineLimit: limit, takesOneRequest: takesOneRequest)
        }

        mutating func append(_ chunk: ArraySlice<UInt8>) {
            reader.append(chunk.span)
            takeAll()
        }

        mutating func end(_ rest: RequestReader.Rest) {
            _ = reader.end(rest)
            takeAll()
        }

        private mutating func takeAll() {
            while true {
                switch reader.next() {
                case .nothing: return
                case .line(let line): take(text(line))
                case .skippedLine(let fault, _): seen.append("skipped: \(fault)")
                case .input(let bytes, let sink): sink.receive(bytes)
                case .inputEnd(let end, let sink):
                    sink.end(end)
                    seen.append("input \(text(input.bytes)): \(end)")
                }
            }
        }

        private mutating func take(_ line: String) {
            seen.append(line)
            input = Sink()
            if line == "c" { reader.expect(.chunks, for: input) }
            if line.hasPrefix("b"), let count = Int(line.dropFirst()) {
                reader.expect(.bytes(count), for: input)
            }
        }
    }

    private func read(
        _ input: String, takesOneRequest: Bool = false, rest: RequestReader.Rest? = nil
    ) -> [[String]] {
        var results: [[String]] = []
        for chunks in cuts(bytes(input)) {
            var reading = ReadLines(takesOneRequest: takesOneRequest)
            for chunk in chunks { reading.append(chunk) }
            if let rest { reading.end(rest) }
            if results.last != reading.seen { results.append(reading.seen) }
        }
        return results
    }

    @Test(arguments: [
        ("a\nb4\nx\ny\nz\n", ["a", "b4", "input x\ny\n: complete", "z"]),
        ("b0\nb1\n\nz\n", ["b0", "input : complete", "b1", "input \n: complete", "z"]),
        ("c\n3\nx\ny2\r\n\n\n0\nz\n", ["c", "input x\ny\n\n: complete", "z"]),
        ("c\n0\nz\n", ["c", "input : complete", "z"]),
        ("c\n001\nx000\nz\n", ["c", "input x: complete", "z"]),
        ("c\n2\nxy3\n\n0\n0\nz\n", ["c", "input xy\n0\n: complete", "z"]),
    ]) func `inputs stand between lines`(input: String, expected: [String]) {
        #expect(read(input) == [expected])
    }

    @Test(arguments: [
        "x\n", "\n", "-1\n", "+1\n", "1x\n", " 1\n", "1 \n", "\r\n", "0x1\n", "1\r\r\n",
        "99999999999999999999\n",
        "9223372036854775808\n", "000000000000000000000",
    ]) func `nothing is taken behind a size that is none`(size: String) {
        for head in ["c\n", "c\n2\nxy"] {
            let results = read(head + size + "z\n0\nz\n")
            #expect(results.allSatisfy { $0.count == 2 && $0.last?.hasSuffix(": malformed") == true })
        }
    }

    @Test(arguments: [
        ("b5\nab", ["b5", "input ab: early(missing: Optional(3))"]),
        ("c\n5\nab", ["c", "input ab: early(missing: nil)"]), ("c\n5", ["c", "input : early(missing: nil)"]),
        ("c\n2\nab", ["c", "input ab: early(missing: nil)"]),
        ("b5", ["b5", "input : early(missing: Optional(5))"]), ("b0", ["b0", "input : complete"]),
        ("c", ["c", "input : early(missing: nil)"]), ("a\nrest", ["a", "rest"]), ("a\n", ["a"]), ("", []),
    ]) func `the rest at the end is a line`(input: String, expected: [String]) {
        #expect(read(input, rest: .isLine) == [expected])
    }

    @Test func `the rest is dropped or refused`() {
        #expect(read("a\nrest", rest: .isDropped) == [["a"]])
        #expect(read("a\nrest", rest: .isRefused) == [["a", "skipped: unfinished"]])
        #expect(read("b5\nab", rest: .isDropped) == [["b5", "input ab: early(missing: Optional(3))"]])
        #expect(read("a\n", rest: .isRefused) == [["a"]])
    }

    @Test(arguments: [
        ("a\nb\n", ["a"]), ("b2\nxyz\n", ["b2", "input xy: complete"]),
        ("c\n1\nx0\nz\n", ["c", "input x: complete"]),
    ]) func `one request may be all`(input: String, expected: [String]) {
        #expect(read(input, takesOneRequest: true) == [expected])
    }

    @Test func `bytes behind the only request are not kept`() {
        var reading = ReadLines(takesOneRequest: true)
        reading.append(bytes("a\nmore")[...])
        reading.append(bytes("and more\n")[...])
        #expect(reading.reader.isOver && reading.reader.bufferedBytes == 0)
    }

    @Test func `nothing is read until a request is judged`() {
        for isRefused in [true, false] {
            var reader = RequestReader(lineLimit: 100, takesOneRequest: false)
            reader.append(bytes("head\n1\nx0\nz\n").span)
            guard case .line = reader.next() else {
                Issue.record("no line")
                return
            }
            reader.holdBack()
            guard case .nothing = reader.next(), reader.isUndecided else {
                Issue.record("it is not judged yet")
                return
            }
            let sink = Sink()
            if isRefused { reader.resume() } else { reader.expect(.chunks, for: sink) }
            #expect(!reader.isUndecided)
            var lines: [String] = []
            reading: while true {
                switch reader.next() {
                case .nothing: break reading
                case .line(let line): lines.append(text(line))
                case .input(let bytes, let sink): sink.receive(bytes)
                case .inputEnd(let end, let sink): sink.end(end)
                case .skippedLine: Issue.record("nothing is skipped")
                }
            }
            #expect(lines == (isRefused ? ["1", "x0", "z"] : ["z"]))
            #expect(
                sink.bytes == (isRefused ? [] : bytes("x")) && sink.ends == (isRefused ? [] : [.complete]))
        }
    }

    @Test func `a reader that is paused gives no line, and its input is not disturbed`() {
        var reader = RequestReader(lineLimit: 100, takesOneRequest: false)
        reader.append(bytes("head\nnext\n").span)
        _ = reader.next()
        #expect(reader.pause() && !reader.pause())
        guard case .nothing = reader.next() else {
            Issue.record("it is paused")
            return
        }
        reader.resume()
        guard case .line(let line) = reader.next() else {
            Issue.record("no line")
            return
        }
        #expect(text(line) == "next")
        reader.expect(.bytes(1), for: Sink())
        #expect(!reader.pause() && reader.expectsInput)
        reader.expectNothing()
        #expect(!reader.pause() && reader.isOver)
    }

    @Test func `a request that waits for input is found at a stop`() {
        var reading = ReadLines()
        reading.append(bytes("b5\nab")[...])
        let sink = reading.reader.stop()
        #expect(sink != nil && reading.reader.isOver)
        let another = reading.reader.stop()
        #expect(another == nil)
    }

    @Test func `an input is no unfinished line`() {
        var reading = ReadLines()
        reading.append(bytes("c\n5\nab")[...])
        reading.reader.dropUnfinishedLine()
        reading.append(bytes("cde0\nhalf")[...])
        #expect(reading.seen == ["c", "input abcde: complete"])
        #expect(reading.reader.hasBegunLine)
        reading.reader.dropUnfinishedLine()
        reading.append(bytes("\nz\n")[...])
        #expect(reading.seen.suffix(2) == ["skipped: crowdedOut", "z"])
    }
}

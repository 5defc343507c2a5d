// A command's output on its way into a reply: escape sequences out, newlines at the very end held back, the rest
// as the inside of a JSON string.

struct OutputEncoder {
    private var filter: AnsiFilter?
    private var tail: Tail

    init(stripsAnsi: Bool, trimsTrailingNewlines: Bool) {
        filter = stripsAnsi ? AnsiFilter() : nil
        tail = Tail(holdsNewlines: trimsTrailingNewlines)
    }

    /// Adds what is known of the output by now: newlines that may be its last ones wait.
    mutating func encode(_ input: Span<UInt8>, into output: inout [UInt8]) {
        var tail = tail
        if filter == nil {
            tail.encode(input, into: &output)
        } else {
            filter?.filter(input) { tail.encode($0, into: &output) }
        }
        self.tail = tail
    }

    /// The end of the output: newlines held back are dropped, a character that was cut becomes U+FFFD.
    mutating func finish(into output: inout [UInt8]) {
        filter?.finish()
        tail.finish(into: &output)
    }

    /// The steps behind the filter.
    private struct Tail {
        let holdsNewlines: Bool
        private var json = JSONStringEncoder()
        /// Newlines that came last and have nothing behind them yet.
        private var held = 0

        init(holdsNewlines: Bool) { self.holdsNewlines = holdsNewlines }

        mutating func encode(_ input: Span<UInt8>, into output: inout [UInt8]) {
            guard holdsNewlines else { return json.encode(input, into: &output) }
            var end = input.count
            while end > 0, input[end - 1] == UInt8(ascii: "\n") { end -= 1 }
            if end > 0 {
                release(into: &output)
                json.encode(input.extracting(..<end), into: &output)
            }
            held += input.count - end
        }

        mutating func finish(into output: inout [UInt8]) {
            held = 0
            json.finish(into: &output)
        }

        private mutating func release(into output: inout [UInt8]) {
            guard held > 0 else { return }
            // A newline ends a character that was cut before it.
            json.finish(into: &output)
            for _ in 0..<held {
                output.append(UInt8(ascii: "\\"))
                output.append(UInt8(ascii: "n"))
            }
            held = 0
        }
    }
}

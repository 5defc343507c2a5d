// A command's output on its way into a reply: escape sequences out, newlines at the very end held back, the rest
// as the inside of a JSON string.

/// Encodes one output, or two that are told together in the order they come: a character or an escape sequence
/// that is cut between two reads goes on where its own stream does.
struct OutputEncoder {
    private let stripsAnsi: Bool
    private let holdsNewlines: Bool
    private var output = Stage()
    private var errors = Stage()
    /// Newlines that came last and have nothing behind them yet.
    private var held = 0

    /// What each stream has of its own.
    private struct Stage {
        var filter = AnsiFilter()
        var json = JSONStringEncoder()
    }

    init(stripsAnsi: Bool, trimsTrailingNewlines: Bool) {
        self.stripsAnsi = stripsAnsi
        holdsNewlines = trimsTrailingNewlines
    }

    /// Adds what is known of the output by now: newlines that may be its last ones wait.
    mutating func encode(
        _ input: Span<UInt8>, from stream: OutputStream = .standardOutput, into text: inout [UInt8]
    ) {
        var stage = stream == .standardOutput ? output : errors
        if stripsAnsi {
            var json = stage.json
            stage.filter.filter(input) { append($0, &json, into: &text) }
            stage.json = json
        } else {
            append(input, &stage.json, into: &text)
        }
        if stream == .standardOutput { output = stage } else { errors = stage }
    }

    /// The end of the output: newlines held back are dropped, a character that was cut becomes U+FFFD.
    mutating func finish(into text: inout [UInt8]) {
        held = 0
        output.json.finish(into: &text)
        errors.json.finish(into: &text)
        output.filter.finish()
        errors.filter.finish()
    }

    private mutating func append(
        _ input: Span<UInt8>, _ json: inout JSONStringEncoder, into text: inout [UInt8]
    ) {
        guard holdsNewlines else { return json.encode(input, into: &text) }
        var end = input.count
        while end > 0, input[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        if end > 0 {
            release(into: &text)
            json.encode(input.extracting(..<end), into: &text)
        }
        guard end < input.count else { return }
        // A newline ends a character that was cut before it in the same stream; it may go on in the other one.
        json.finish(into: &text)
        held += input.count - end
    }

    private mutating func release(into text: inout [UInt8]) {
        for _ in 0..<held {
            text.append(UInt8(ascii: "\\"))
            text.append(UInt8(ascii: "n"))
        }
        held = 0
    }
}

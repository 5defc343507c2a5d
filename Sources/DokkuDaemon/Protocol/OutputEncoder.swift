// A command's output on its way into a reply: escape sequences out, the rest as the inside of a JSON string, and
// how much of that are newlines at the very end.

/// Encodes one output, or two that are told together in the order they come: a character or an escape sequence
/// that is cut between two reads goes on where its own stream does.
struct OutputEncoder {
    private let stripsAnsi: Bool
    private var output = Stage()
    private var errors = Stage()
    private let trimsTrailingNewlines: Bool
    /// Newlines that came last: written like all else, since any number of them may have to be kept.
    private var trailing = 0

    /// What each stream has of its own.
    private struct Stage {
        var filter = AnsiFilter()
        var json = JSONStringEncoder()
    }

    init(stripsAnsi: Bool, trimsTrailingNewlines: Bool) {
        self.stripsAnsi = stripsAnsi
        self.trimsTrailingNewlines = trimsTrailingNewlines
    }

    /// Adds the output as it is known by now.
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

    /// The end of the output: a character that was cut becomes U+FFFD. Returns how many of the bytes written last are
    /// trailing newlines, for the caller to take back; 0 where they are to stay.
    mutating func finish(into text: inout [UInt8]) -> Int {
        let before = text.count
        output.json.finish(into: &text)
        errors.json.finish(into: &text)
        output.filter.finish()
        errors.filter.finish()
        let newlines = text.count == before ? trailing : 0
        trailing = 0
        return trimsTrailingNewlines ? newlines * 2 : 0
    }

    private mutating func append(
        _ input: Span<UInt8>, _ json: inout JSONStringEncoder, into text: inout [UInt8]
    ) {
        json.encode(input, into: &text)
        var end = input.count
        while end > 0, input[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        trailing = (end == 0 ? trailing : 0) + input.count - end
    }
}

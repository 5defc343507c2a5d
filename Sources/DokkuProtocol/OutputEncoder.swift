// Encodes a command's output for a reply: without escape sequences, as the inside of a JSON string, and without
// newlines at its very end.

/// Encodes one output, or two in the order of arrival. Each stream has its own state, so that a character or an
/// escape sequence may be cut between two reads.
///
/// Newlines are held back until something follows them, because they may be the last ones.
public struct OutputEncoder {
    /// The number of newlines that are written at once.
    public static let runLimit = 16 * 1024

    private let stripsAnsi: Bool
    private var output = Stage()
    private var errors = Stage()
    private let trimsTrailingNewlines: Bool
    /// Newlines of both streams that nothing has followed yet.
    private var held = 0

    /// The state of one stream.
    private struct Stage {
        var filter = AnsiFilter()
        var json = JSONStringEncoder()
    }

    public init(stripsAnsi: Bool, trimsTrailingNewlines: Bool) {
        self.stripsAnsi = stripsAnsi
        self.trimsTrailingNewlines = trimsTrailingNewlines
    }

    /// Appends what can be encoded so far to `text`.
    public mutating func encode(
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

    /// The end of the output: writes U+FFFD for an incomplete character, and drops the newlines that are held back.
    public mutating func finish(into text: inout [UInt8]) {
        var (first, second) = (output.json, errors.json)
        write(behindHeld: &text) { text in
            first.finish(into: &text)
            second.finish(into: &text)
        }
        (output.json, errors.json) = (first, second)
        output.filter.finish()
        errors.filter.finish()
        held = 0
    }

    /// Millions of newlines may come before a single byte. If more than `runLimit` are held back and `step` would
    /// write something after them, this writes some of them and returns true. Call it until it returns false, and
    /// only then do `step`.
    public mutating func writeRun(
        before step: (inout OutputEncoder, inout [UInt8]) -> Void, into text: inout [UInt8]
    ) -> Bool {
        guard held > Self.runLimit else { return false }
        var trial = self
        trial.held = 0
        var following: [UInt8] = []
        step(&trial, &following)
        if following.isEmpty { return false }
        Self.appendNewlines(Self.runLimit, to: &text)
        held -= Self.runLimit
        return true
    }

    private mutating func append(
        _ input: Span<UInt8>, _ json: inout JSONStringEncoder, into text: inout [UInt8]
    ) {
        guard trimsTrailingNewlines else { return json.encode(input, into: &text) }
        var end = input.count
        while end > 0, input[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        if end == 0, !json.isOpen {
            held += input.count
            return
        }
        write(behindHeld: &text) { text in
            if end > 0 { json.encode(input.extracting(..<end), into: &text) }
            // A newline ends the incomplete character of its stream.
            if end < input.count { json.finish(into: &text) }
        }
        held += input.count - end
    }

    /// If `body` writes something, the newlines that are held back go before it; otherwise they stay held back.
    private mutating func write(behindHeld text: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        guard held <= Self.runLimit else { return writeBehindMany(&text, body) }
        Self.appendNewlines(held, to: &text)
        let start = text.count
        body(&text)
        if text.count > start { held = 0 } else { text.removeLast(held * 2) }
    }

    /// Does not write millions of newlines only to remove them again: usually more newlines follow.
    private mutating func writeBehindMany(_ text: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        var following: [UInt8] = []
        body(&following)
        if following.isEmpty { return }
        Self.appendNewlines(held, to: &text)
        text += following
        held = 0
    }

    private static func appendNewlines(_ count: Int, to text: inout [UInt8]) {
        for _ in 0..<count {
            text.append(UInt8(ascii: "\\"))
            text.append(UInt8(ascii: "n"))
        }
    }
}

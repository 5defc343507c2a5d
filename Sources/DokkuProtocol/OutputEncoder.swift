// A command's output on its way into a reply: escape sequences out, the rest as the inside of a JSON string, and no
// newlines at the very end.

/// Encodes one output, or two that are told together in the order they come: a character or an escape sequence
/// that is cut between two reads goes on where its own stream does.
///
/// Newlines that may turn out to be the last ones are held back, and written when something follows them.
public struct OutputEncoder {
    /// As many newlines as are written at once.
    public static let runLimit = 16 * 1024

    private let stripsAnsi: Bool
    private var output = Stage()
    private var errors = Stage()
    private let trimsTrailingNewlines: Bool
    /// Newlines of both streams that nothing has followed yet.
    private var held = 0

    /// What each stream has of its own.
    private struct Stage {
        var filter = AnsiFilter()
        var json = JSONStringEncoder()
    }

    public init(stripsAnsi: Bool, trimsTrailingNewlines: Bool) {
        self.stripsAnsi = stripsAnsi
        self.trimsTrailingNewlines = trimsTrailingNewlines
    }

    /// Adds the output as it is known by now.
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

    /// The end of the output: a character that was cut becomes U+FFFD, and newlines that are held back are dropped.
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

    /// Newlines by the million may stand before a single byte. Where so many are held back, and `step` would write
    /// something behind them, this writes some of them and returns true: to be called until it returns false, before
    /// `step` is done.
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
            // A newline ends the character that its stream has begun.
            if end < input.count { json.finish(into: &text) }
        }
        held += input.count - end
    }

    /// Where `body` writes something, what is held back goes before it; else that stays held back.
    private mutating func write(behindHeld text: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        guard held <= Self.runLimit else { return writeBehindMany(&text, body) }
        Self.appendNewlines(held, to: &text)
        let start = text.count
        body(&text)
        if text.count > start { held = 0 } else { text.removeLast(held * 2) }
    }

    /// Newlines by the million are not written to be taken back: most often more of them follow.
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

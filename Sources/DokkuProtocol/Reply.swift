// The lines that go back to clients: what comes before and after an output, and whole short lines.
//
// A reply's `ok` comes before its output but is known after it. So the output is encoded and kept as it arrives;
// head and tail are added at the end.

extension [UInt8] {
    @inlinable public mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(contentsOf: $0) }
    }

    @inlinable public mutating func append(decimal number: some BinaryInteger) {
        append(contentsOf: String(number).utf8)
    }

    /// Appends a text as the inside of a JSON string.
    public mutating func append(escaping text: String) {
        var text = text
        var encoder = JSONStringEncoder()
        text.withUTF8 { encoder.encode($0.span, into: &self) }
        encoder.finish(into: &self)
    }
}

/// A plain reply: `{"ok":B,"output":S}`.
public enum PlainReply {
    public static func appendHead(ok: Bool, to line: inout [UInt8]) {
        line.append(ok ? "{\"ok\":true,\"output\":\"" : "{\"ok\":false,\"output\":\"")
    }

    public static func appendTail(to line: inout [UInt8]) { line.append("\"}\n") }

    public static func line(ok: Bool, output: String) -> [UInt8] {
        var line: [UInt8] = []
        append(ok: ok, output: output, to: &line)
        return line
    }

    public static func append(ok: Bool, output: String, to line: inout [UInt8]) {
        appendHead(ok: ok, to: &line)
        line.append(escaping: output)
        appendTail(to: &line)
    }
}

// A plain reply as the log shows it, `{"ok":…,"output":"…"}`: one line, without control characters, limited in
// length.
import DokkuProtocol

enum LoggedReply {
    /// Appends the reply to `line`, with at most `limit` bytes of its output. An ellipsis marks an output that is
    /// cut here, or that was cut before (`isCut`).
    static func append(
        ok: Bool, output: some Collection<UInt8>, isCut: Bool = false, limit: Int, to line: inout [UInt8]
    ) {
        PlainReply.appendHead(ok: ok, to: &line)
        var text = withoutControls(encoded(output, isCut: isCut))
        let end = text.count > limit ? endOfWhole(text, limit: limit) : text.count
        if end < text.count || isCut {
            text.removeLast(text.count - end)
            text.append(contentsOf: "…".utf8)
        }
        line.append(contentsOf: text)
        line.append("\"}")
    }

    /// Encoded as in the reply: without escape sequences and without the newlines at the end.
    private static func encoded(_ output: some Collection<UInt8>, isCut: Bool) -> [UInt8] {
        let bytes = Array(output)
        var encoder = OutputEncoder(stripsAnsi: true, trimsTrailingNewlines: !isCut)
        var text: [UInt8] = []
        encoder.encode(bytes.span, into: &text)
        encoder.finish(into: &text)
        return text
    }

    /// The text of a JSON string, with escapes for the characters that JSON allows but that a terminal obeys, or
    /// that end a line.
    private static func withoutControls(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(where: { $0 >= 0x7f }) else { return text }
        var plain: [UInt8] = []
        plain.reserveCapacity(text.count)
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if scalar.isASCII && scalar.value < 0x7f || !scalar.isControlling {
                plain.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            } else {
                for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                    let digits = String(unit, radix: 16)
                    plain.append(
                        contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
                }
            }
        }
        return plain
    }

    /// The end of the last character or escape that fits into `limit` bytes.
    private static func endOfWhole(_ text: [UInt8], limit: Int) -> Int {
        var end = 0
        while end < text.count {
            let length = lengthOfToken(text, at: end)
            guard end + length <= limit else { break }
            end += length
        }
        return end
    }

    private static func lengthOfToken(_ text: [UInt8], at index: Int) -> Int {
        switch text[index] {
        case UInt8(ascii: "\\"): index + 1 < text.count && text[index + 1] == UInt8(ascii: "u") ? 6 : 2
        case 0xf0...: 4
        case 0xe0...: 3
        case 0xc0...: 2
        default: 1
        }
    }
}

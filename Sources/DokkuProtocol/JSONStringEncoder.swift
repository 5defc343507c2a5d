// Encodes bytes as the inside of a JSON string (RFC 8259), chunk by chunk. The result is valid JSON in valid UTF-8,
// whatever the bytes are and however they are cut.

/// Invalid UTF-8 becomes U+FFFD, one for each maximal subpart of a sequence (Unicode, table 3-7). The bytes of an
/// incomplete character are held until it is complete.
struct JSONStringEncoder {
    private var character = PartialCharacter()

    /// Whether a character is incomplete: `finish` would write something.
    var isOpen: Bool { character.isOpen }

    /// Appends `input` to `output`: at most six bytes for each byte.
    mutating func encode(_ input: Span<UInt8>, into output: inout [UInt8]) {
        var index = 0
        while character.isOpen, index < input.count { advance(input, &index, into: &output) }
        // Runs of bytes that need no escape are copied at once.
        var start = index
        while true {
            index = Self.endOfPlainText(input, from: index)
            guard index < input.count else { break }
            let byte = input[index]
            if byte >= 0x80 {
                let length = Self.lengthOfCharacter(input, at: index)
                if length > 0 {
                    index += length
                    continue
                }
            }
            output.append(run: input, start..<index)
            if byte >= 0x80 {
                repeat { advance(input, &index, into: &output) } while character.isOpen && index < input.count
            } else {
                Self.escape(byte, into: &output)
                index += 1
            }
            start = index
        }
        output.append(run: input, start..<index)
    }

    /// The end of the stream: writes U+FFFD for an incomplete character and resets the encoder.
    mutating func finish(into output: inout [UInt8]) {
        if character.isOpen { Self.appendReplacement(to: &output) }
        character = PartialCharacter()
    }

    /// U+FFFD, byte by byte: for three bytes that is faster than a copy.
    private static func appendReplacement(to output: inout [UInt8]) {
        output.append(0xEF)
        output.append(0xBF)
        output.append(0xBD)
    }

    private static let escapeStart = Array(#"\u00"#.utf8)

    /// Reads one byte of a character that may be incomplete or invalid.
    private mutating func advance(_ input: Span<UInt8>, _ index: inout Int, into output: inout [UInt8]) {
        switch character.take(input[index]) {
        case .open: index += 1
        case .whole:
            index += 1
            character.write(into: &output)
            character = PartialCharacter()
        case .alone:
            index += 1
            Self.appendReplacement(to: &output)
        case .broken:
            // The byte that does not fit is read again as the start of the next character.
            Self.appendReplacement(to: &output)
            character = PartialCharacter()
        }
    }

    /// The length of the well-formed character at `index`, whose first byte is 0x80 or above; 0 if it is not
    /// well-formed or not complete.
    private static func lengthOfCharacter(_ input: Span<UInt8>, at index: Int) -> Int {
        let lead = PartialCharacter.Lead(input[index])
        guard lead.following > 0, lead.following < input.count - index,
            lead.second.contains(input[index + 1])
        else { return 0 }
        var offset = 2
        while offset <= lead.following {
            guard input[index + offset] & 0xC0 == 0x80 else { return 0 }
            offset += 1
        }
        return offset
    }

    private static func escape(_ byte: UInt8, into output: inout [UInt8]) {
        let short: UInt8
        switch byte {
        case UInt8(ascii: "\n"): short = UInt8(ascii: "n")
        case UInt8(ascii: "\t"): short = UInt8(ascii: "t")
        case UInt8(ascii: "\r"): short = UInt8(ascii: "r")
        case 0x08: short = UInt8(ascii: "b")
        case 0x0C: short = UInt8(ascii: "f")
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): short = byte
        default:
            output.append(contentsOf: escapeStart)
            output.append(UInt8(ascii: "0") + byte >> 4)
            let low = byte & 0x0F
            output.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
            return
        }
        output.append(UInt8(ascii: "\\"))
        output.append(short)
    }

    /// The index of the first byte at or after `start` that is not ASCII or needs an escape.
    private static func endOfPlainText(_ input: Span<UInt8>, from start: Int) -> Int {
        var index = start
        let words = input.bytes
        // Eight bytes at a time. `special` has the top bit of a byte set if the byte is below 0x20, a quote, a
        // backslash or above 0x7F. A borrow may set further bits above such a byte, but none below it.
        while index + 8 <= input.count {
            let word = UInt64(littleEndian: words.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
            let control = word &- 0x2020_2020_2020_2020
            let quote = (word ^ 0x2222_2222_2222_2222) &- 0x0101_0101_0101_0101
            let backslash = (word ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
            let special = (control | quote | backslash | word) & 0x8080_8080_8080_8080
            if special != 0 { return index + special.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < input.count, !needsCare(input[index]) { index += 1 }
        return index
    }

    private static func needsCare(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }
}

extension [UInt8] {
    fileprivate mutating func append(run input: Span<UInt8>, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        input.extracting(range).withUnsafeBufferPointer { append(contentsOf: $0) }
    }
}

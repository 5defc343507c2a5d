// What two outputs that are told in one text must come out as: a reference that looks at everything at once. The
// fuzzer of the encoder shares it.

enum MergedOutput {
    /// What one stream brought at a time.
    struct Chunk {
        var isError: Bool
        var bytes: [UInt8]
    }

    private struct Tagged {
        var byte: UInt8
        /// Counts the bytes of both streams in the order of arrival.
        var position: Int
    }

    private struct Character {
        var text: String
        /// The byte at which it was known.
        var position: Int
    }

    /// A character stands where its last byte arrived, one that is cut where that is known.
    static func text(_ chunks: [Chunk], stripsAnsi: Bool, trims: Bool) -> String {
        var streams: [[Tagged]] = [[], []]
        var position = 0
        for chunk in chunks {
            for byte in chunk.bytes {
                streams[chunk.isError ? 1 : 0].append(Tagged(byte: byte, position: position))
                position += 1
            }
        }
        var characters: [Character] = []
        for (number, stream) in streams.enumerated() {
            characters += Self.characters(
                stripsAnsi ? withoutSequences(stream) : stream, end: position + number)
        }
        let sorted = characters.enumerated().sorted {
            ($0.element.position, $0.offset) < ($1.element.position, $1.offset)
        }
        var result = sorted.map(\.element.text)
        while trims, result.last == "\n" { result.removeLast() }
        return result.joined()
    }

    private static func characters(_ stream: [Tagged], end: Int) -> [Character] {
        var result: [Character] = []
        var index = 0
        while index < stream.count {
            let rest = stream[index...].prefix(4)
            let bytes = rest.map(\.byte)
            if let length = (1...rest.count).first(where: { isCharacter(bytes.prefix($0)) }) {
                let text = String(decoding: bytes.prefix(length), as: UTF8.self)
                result.append(Character(text: text, position: stream[index + length - 1].position))
                index += length
                continue
            }
            // The maximal subpart of a character is replaced once it cannot become one any more.
            let part = (1...rest.count).last { isBeginning(bytes.prefix($0)) }
            let length = part ?? 1
            let next = index + length
            let known =
                part == nil ? stream[index].position : next < stream.count ? stream[next].position : end
            result.append(Character(text: "\u{FFFD}", position: known))
            index = next
        }
        return result
    }

    private static func isCharacter(_ bytes: some Collection<UInt8>) -> Bool {
        String(validating: bytes, as: UTF8.self)?.unicodeScalars.count == 1
    }

    private static func isBeginning(_ bytes: some Collection<UInt8>) -> Bool {
        (1...3).contains { count in
            [0x80, 0x90, 0xA0, 0xBF].contains { next in
                isCharacter(Array(bytes) + [next] + [UInt8](repeating: 0x80, count: count - 1))
            }
        }
    }

    /// Escape sequences by looking ahead, from where each begins.
    private static func withoutSequences(_ bytes: [Tagged]) -> [Tagged] {
        var result: [Tagged] = []
        var rest = bytes[...]
        while let tagged = rest.popFirst() {
            guard tagged.byte == 0x1B else {
                result.append(tagged)
                continue
            }
            guard let kind = rest.first?.byte else { break }
            switch kind {
            case 0x5B:
                rest = rest.dropFirst().drop { (0x30...0x3F).contains($0.byte) }
                    .drop { (0x20...0x2F).contains($0.byte) }
                if let final = rest.first, (0x40...0x7E).contains(final.byte) { rest.removeFirst() }
            case 0x50, 0x58, 0x5D, 0x5E, 0x5F:
                rest = rest.dropFirst().drop {
                    $0.byte != 0x1B && $0.byte != 0x0A && !(kind == 0x5D && $0.byte == 0x07)
                }
                if rest.first?.byte == 0x07 { rest.removeFirst() }
            default:
                rest = rest.drop { (0x20...0x2F).contains($0.byte) }
                if let final = rest.first?.byte, final >= 0x30, final <= 0x7E, final != 0x1B {
                    // `ESC (` may be followed by a final byte that would begin another kind right behind ESC.
                    rest.removeFirst()
                }
            }
        }
        return result
    }
}

// Reads a UTF-8 sequence byte by byte, by Unicode's table of well-formed sequences (3-7).

/// The first bytes of an incomplete character.
struct PartialCharacter {
    enum Outcome {
        /// The byte belongs to a character that is not complete yet.
        case open
        /// The byte was the last of a character.
        case whole
        /// No character begins with this byte.
        case alone
        /// The byte cannot follow those before it, and is not added to them.
        case broken
    }

    /// What a first byte says about the rest. The bounds of the second byte exclude overlong forms, surrogates and
    /// code points above U+10FFFF.
    struct Lead {
        /// How many bytes follow; 0 if it does not begin a sequence of several bytes.
        let following: Int
        let second: ClosedRange<UInt8>

        init(_ byte: UInt8) {
            switch byte {
            case 0xC2...0xDF: (following, second) = (1, 0x80...0xBF)
            case 0xE0: (following, second) = (2, 0xA0...0xBF)
            case 0xED: (following, second) = (2, 0x80...0x9F)
            case 0xE1...0xEF: (following, second) = (2, 0x80...0xBF)
            case 0xF0: (following, second) = (3, 0x90...0xBF)
            case 0xF1...0xF3: (following, second) = (3, 0x80...0xBF)
            case 0xF4: (following, second) = (3, 0x80...0x8F)
            default: (following, second) = (0, 0x80...0xBF)
            }
        }
    }

    private var bytes: InlineArray<4, UInt8> = [0, 0, 0, 0]
    private var count = 0
    private var length = 0
    private var bounds: ClosedRange<UInt8> = 0x80...0xBF

    /// Whether a character has begun and is not complete.
    var isOpen: Bool { count < length }

    mutating func take(_ byte: UInt8) -> Outcome {
        if isOpen {
            guard bounds.contains(byte) else { return .broken }
            bounds = 0x80...0xBF
        } else {
            let lead = Lead(byte)
            guard lead.following > 0 else { return .alone }
            self = PartialCharacter()
            length = lead.following + 1
            bounds = lead.second
        }
        bytes[count] = byte
        count += 1
        return isOpen ? .open : .whole
    }

    /// Appends the bytes read so far.
    func write(into output: inout [UInt8]) {
        for index in 0..<count { output.append(bytes[index]) }
    }
}

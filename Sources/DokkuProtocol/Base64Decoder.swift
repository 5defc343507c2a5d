// Reads base64 as `Base64Encoder` writes it (RFC 4648, section 4, padded).

enum Base64Decoder {
    /// Nil if the text has another character, no whole groups of four, padding before its end, or bits that are lost.
    static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let whole = text.count / 4 - (padding > 0 ? 1 : 0)
        return digits.withUnsafeBufferPointer { digits in
            var wrong: UInt32 = 0
            var bytes = [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3) { bytes, count in
                for group in 0..<whole {
                    var bits: UInt32 = 0
                    for index in group * 4..<group * 4 + 4 {
                        let digit = digits[Int(text[index])]
                        wrong |= digit
                        bits = bits << 6 | digit
                    }
                    bytes.initializeElement(at: group * 3, to: UInt8(truncatingIfNeeded: bits >> 16))
                    bytes.initializeElement(at: group * 3 + 1, to: UInt8(truncatingIfNeeded: bits >> 8))
                    bytes.initializeElement(at: group * 3 + 2, to: UInt8(truncatingIfNeeded: bits))
                }
                count = whole * 3
            }
            var bits: UInt32 = 0
            for index in whole * 4..<text.count - padding {
                let digit = digits[Int(text[index])]
                wrong |= digit
                bits = bits << 6 | digit
            }
            switch padding {
            case 1:
                bytes.append(UInt8(truncatingIfNeeded: bits >> 10))
                bytes.append(UInt8(truncatingIfNeeded: bits >> 2))
            case 2: bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
            default: break
            }
            let lost = padding == 0 ? 0 : bits & (padding == 1 ? 0b11 : 0b1111)
            return wrong & noDigit == 0 && lost == 0 ? bytes : nil
        }
    }

    private static let noDigit: UInt32 = 64

    /// The value of each character; `noDigit` for what is none.
    private static let digits: [UInt32] = {
        var digits = [UInt32](repeating: noDigit, count: 256)
        for (value, character) in Base64Encoder.digits.enumerated() { digits[Int(character)] = UInt32(value) }
        return digits
    }()
}

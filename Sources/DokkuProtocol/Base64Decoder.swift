// Reads base64 as `Base64Encoder` writes it (RFC 4648, section 4, padded).

enum Base64Decoder {
    /// Nil if the text has another character, no whole groups of four, padding before its end, or bits that are lost.
    static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var held: UInt32 = 0
        for index in 0..<text.count - padding {
            let digit = digits[Int(text[index])]
            guard digit < 64 else { return nil }
            bits = bits << 6 | UInt32(digit)
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> held))
                bits &= 1 << held - 1
            }
        }
        return bits == 0 ? bytes : nil
    }

    /// The value of each character; 64 for what is none.
    private static let digits: [UInt8] = {
        var digits = [UInt8](repeating: 64, count: 256)
        for (value, character) in Base64Encoder.digits.enumerated() { digits[Int(character)] = UInt8(value) }
        return digits
    }()
}

// Bytes that a quote, an escape or an encoding may get wrong.

enum HostileBytes {
    private static let megabyte = 1 << 20

    /// Without NUL and newline: a plain line can carry them.
    static let ofPlainWord: [[UInt8]] = [
        [], bytes("'"), bytes("''"), bytes("\""), bytes("\\"), bytes("\\\\"), bytes("a\\"), bytes("'\\''"),
        bytes(" "),
        bytes("\t"), bytes("\r"), bytes("a\r"), bytes("{"), bytes("{}"), bytes("<"), bytes(">"), bytes("/d"),
        bytes("a<"),
        bytes("$HOME `id` $(id) * ? ~ # ; | & !"), bytes("\u{1B}[31m\u{7F}\u{1}"),
        bytes("é€😀\u{2028}\u{FEFF}"),
        [0x80], [0xFF, 0xFE], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xC0, 0x80],
        [0xF5, 0x80, 0x80, 0x80],
        [UInt8](repeating: UInt8(ascii: "'"), count: megabyte),
        [UInt8](repeating: UInt8(ascii: "\\"), count: megabyte),
        (0..<megabyte).map { UInt8(truncatingIfNeeded: $0 % 255) }.map { $0 == 0 || $0 == 0x0A ? 0xFF : $0 },
    ]

    static let all =
        ofPlainWord + [
            [0], [0x0A], bytes("a\0b"), bytes("\n\n"), bytes("a\r\n"),
            (0..<megabyte).map { UInt8($0 & 0xFF) },
        ]

    /// JSON can carry them.
    static let ofText = all.filter { String(validating: $0, as: UTF8.self) != nil }

    /// Up to twenty pieces of what is hostile, short ones.
    static func random(
        from pieces: [[UInt8]] = all, using generator: inout SeededGenerator
    ) -> [UInt8] {
        let pieces = pieces.filter { $0.count < 100 }
        return (0..<Int.random(in: 0...20, using: &generator)).flatMap { _ in
            pieces.randomElement(using: &generator) ?? []
        }
    }
}

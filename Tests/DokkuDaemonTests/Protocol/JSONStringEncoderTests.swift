// Any bytes become the inside of a valid JSON string, wherever they are cut.
import Foundation
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct JSONStringEncoderTests {
    private func encoded(_ chunks: [ArraySlice<UInt8>]) -> [UInt8] {
        var encoder = JSONStringEncoder()
        var result: [UInt8] = []
        for chunk in chunks { encoder.encode(chunk.span, into: &result) }
        encoder.finish(into: &result)
        return result
    }

    @Test(arguments: [
        ("", ""),
        ("plain text, long enough for more than one word", "plain text, long enough for more than one word"),
        ("a\"b\\c/d", #"a\"b\\c/d"#),
        ("\n\t\r\u{08}\u{0C}", #"\n\t\r\b\f"#),
        ("\0\u{01}\u{0B}\u{0E}\u{1B}\u{1F}", #"\u0000\u0001\u000b\u000e\u001b\u001f"#),
        ("\u{7F}\u{80}\u{9F}\u{2028}", "\u{7F}\u{80}\u{9F}\u{2028}"),
        ("é日本\u{1F600}\u{10FFFF}", "é日本\u{1F600}\u{10FFFF}"),
        ("1234567\"12345678\"123456789\n é", #"1234567\"12345678\"123456789\n é"#),
    ])
    func `text is escaped however it is cut`(input: String, expected: String) {
        for chunks in cuts(bytes(input)) { #expect(text(encoded(chunks)) == expected) }
    }

    /// `?` stands for U+FFFD. The first rows are tables 3-8 to 3-11 of the Unicode standard.
    @Test(
        arguments: [
            ([0xC0, 0xAF, 0xE0, 0x80, 0xBF, 0xF0, 0x81, 0x82, 0x41], "????????A"),
            ([0xED, 0xA0, 0x80, 0xED, 0xBF, 0xBF, 0xED, 0xAF, 0x41], "????????A"),
            ([0xF4, 0x91, 0x92, 0x93, 0xFF, 0x41, 0x80, 0xBF, 0x42], "?????A??B"),
            ([0xE1, 0x80, 0xE2, 0xF0, 0x91, 0x92, 0xF1, 0xBF, 0x41], "????A"),
            ([0x61, 0xF1, 0x80, 0x80, 0xE1, 0x80, 0xC2, 0x62, 0x80, 0x63, 0x80, 0xBF, 0x64], "a???b?c??d"),
            ([0x80], "?"), ([0xBF, 0xBF], "??"), ([0xC1, 0xBF], "??"), ([0xF5, 0x80, 0x80, 0x80], "????"),
            ([0xFE, 0xFF], "??"), ([0xC2], "?"), ([0xE1, 0xBF], "?"), ([0xF1, 0x80, 0x80], "?"),
            ([0xE0, 0x9F, 0xBF], "???"), ([0xE0, 0xA0], "?"), ([0xF0, 0x8F, 0xBF, 0xBF], "????"),
            ([0xF0, 0x90, 0x80], "?"), ([0xF4, 0x8F, 0xBF], "?"), ([0xF4, 0x90], "??"),
            ([0xC3, 0x22], "?\\\""), ([0xE2, 0x82, 0x0A], "?\\n"), ([0xF1, 0x80, 0xC3, 0xA9], "?é"),
            ([0xC3, 0xC3, 0xA9], "?é"), ([0xE2, 0x82, 0xAC, 0xAC], "€?"), ([0x41, 0x42, 0xE2, 0x82], "AB?"),
        ] as [([UInt8], String)])
    func `bytes that are not UTF-8 are replaced by subparts`(input: [UInt8], expected: String) {
        let expected = expected.replacingOccurrences(of: "?", with: "\u{FFFD}")
        for chunks in cuts(input) {
            #expect(text(encoded(chunks)) == expected, "\(chunks.map { Array($0) })")
        }
    }

    @Test func `all pairs of bytes agree with the standard library`() {
        var input: [UInt8] = []
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                input += [first, second, 0x80, 0x20, first, 0x80, 0xBF, second]
            }
        }
        let expected = String(decoding: input, as: UTF8.self)
        let output = encoded([input[..<1001], input[1001...]])
        let decoded = try? JSONDecoder().decode(
            [String].self, from: Data(bytes("[\"") + output + bytes("\"]")))
        // Scalars, not characters: canonical equivalence would let wrong ones pass.
        #expect(decoded?.first?.unicodeScalars.elementsEqual(expected.unicodeScalars) == true)
    }

    @Test func `each single byte is written in each place of a word`() {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<17 {
                var input = [UInt8](repeating: 0x20, count: 17)
                input[place] = byte
                var expected = [UInt8](repeating: 0x20, count: 17)
                expected.replaceSubrange(place...place, with: encoded([[byte]]))
                #expect(encoded([input[...]]) == expected)
            }
        }
    }

    @Test func `characters are written whole`() {
        var encoder = JSONStringEncoder()
        var output: [UInt8] = []
        encoder.encode([0x61, 0xF0, 0x9F].span, into: &output)
        #expect(output == [0x61])
        encoder.encode([0x98].span, into: &output)
        #expect(output == [0x61])
        encoder.encode([0x80, 0x62].span, into: &output)
        #expect(text(output) == "a\u{1F600}b")
    }

    @Test func `an encoder is as new after finish`() {
        var encoder = JSONStringEncoder()
        var output: [UInt8] = []
        encoder.encode([0xE2].span, into: &output)
        encoder.finish(into: &output)
        encoder.encode([0x82].span, into: &output)
        encoder.finish(into: &output)
        encoder.finish(into: &output)
        #expect(text(output) == "\u{FFFD}\u{FFFD}")
    }
}

// Outputs on their way into a reply: the filter, the newlines at the end, two streams, and base64.
import Foundation
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct OutputEncoderTests {
    private func encoded(_ chunks: [ArraySlice<UInt8>], strips: Bool = true, trims: Bool = true) -> String {
        var encoder = OutputEncoder(stripsAnsi: strips, trimsTrailingNewlines: trims)
        var result: [UInt8] = []
        for chunk in chunks { encoder.encode(chunk.span, into: &result) }
        encoder.finish(into: &result)
        return text(result)
    }

    @Test(arguments: [
        ("", ""),
        ("\n\n\n", ""),
        ("a\nb\n", #"a\nb"#),
        ("a\n\n\nb\n\n", #"a\n\n\nb"#),
        ("\n\na", #"\n\na"#),
        ("a\r\n", #"a\r"#),
        ("\u{1B}[32mdone\u{1B}[0m\n", "done"),
        ("done\n\u{1B}[0m", "done"),
        ("done\n\u{1B}[0m\n\u{1B}[1mmore\u{1B}(B\n\n", #"done\n\nmore"#),
        ("a\n\u{1B}]0;title", "a"),
        ("\u{1B}]0;title\n\nb", #"\n\nb"#),
        ("é\u{1B}[m\"日\n", #"é\"日"#),
    ])
    func `an output is the same however it is cut`(input: String, expected: String) {
        for chunks in cuts(bytes(input)) { #expect(encoded(chunks) == expected) }
    }

    @Test func `sequences and newlines stay if asked for`() {
        for chunks in cuts(bytes("a\u{1B}[m\n\n")) {
            #expect(encoded(chunks, strips: false, trims: false) == #"a\u001b[m\n\n"#)
            #expect(encoded(chunks, strips: false) == #"a\u001b[m"#)
            #expect(encoded(chunks, trims: false) == #"a\n\n"#)
        }
    }

    @Test func `a cut character before newlines is replaced`() {
        for chunks in cuts([0x61, 0xE2, 0x82, 0x0A, 0x0A]) { #expect(encoded(chunks) == "a\u{FFFD}") }
        for chunks in cuts([0xE2, 0x82, 0x0A, 0x0A, 0xAC]) {
            #expect(encoded(chunks) == #"\#u{FFFD}\n\n\#u{FFFD}"#)
        }
        for chunks in cuts([0xE2, 0x82, 0x1B, 0x5B, 0x6D, 0xAC]) { #expect(encoded(chunks) == "€") }
    }
}

@Suite struct Base64EncoderTests {
    @Test func `groups are the same however they are cut`() {
        for count in 0..<20 {
            let input = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 200) }
            for chunks in cuts(input) {
                var encoder = Base64Encoder()
                var output: [UInt8] = []
                for chunk in chunks { encoder.encode(chunk.span, into: &output) }
                encoder.finish(into: &output)
                #expect(text(output) == Data(input).base64EncodedString())
            }
        }
    }

    @Test func `every digit is written`() {
        let input = (0..<3000).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 &+ $0 >> 3) }
        var encoder = Base64Encoder()
        var output = bytes("before:")
        encoder.encode(input.span, into: &output)
        encoder.finish(into: &output)
        encoder.finish(into: &output)
        #expect(text(output) == "before:" + Data(input).base64EncodedString())
    }
}

@Suite struct MergedOutputTests {
    private func encode(_ chunks: [(DokkuProtocol.OutputStream, [UInt8])]) -> String {
        var encoder = OutputEncoder(stripsAnsi: true, trimsTrailingNewlines: true)
        var text: [UInt8] = []
        for (stream, bytes) in chunks { encoder.encode(bytes.span, from: stream, into: &text) }
        encoder.finish(into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    @Test func `a character that is cut goes on in its own stream`() {
        let accent = Array("é".utf8)
        let text = encode([
            (.standardOutput, [accent[0]]), (.standardError, Array("x".utf8)), (.standardOutput, [accent[1]]),
        ])
        #expect(text == "xé")
    }

    @Test func `a newline of the other stream does not end a character`() {
        let accent = Array("é".utf8)
        let text = encode([
            (.standardError, [accent[0]]), (.standardOutput, Array("\n".utf8)), (.standardError, [accent[1]]),
        ])
        #expect(text == "\\né")
    }

    @Test func `a newline of its own stream ends a character`() {
        let accent = Array("é".utf8)
        let text = encode([
            (.standardOutput, [accent[0], 0x0A]), (.standardError, Array("x".utf8)),
            (.standardOutput, [accent[1]]),
        ])
        #expect(text == "\u{FFFD}\\nx\u{FFFD}")
    }

    @Test func `an escape sequence that is cut goes on in its own stream`() {
        let text = encode([
            (.standardOutput, Array("\u{1b}[3".utf8)), (.standardError, Array("1 x".utf8)),
            (.standardOutput, Array("1mred".utf8)),
        ])
        #expect(text == "1 xred")
    }

    private struct Text: Decodable { var text: String }

    /// Both streams, cut anywhere, say what a reference says that sees them whole.
    @Test(arguments: 0..<8) func `random outputs are the same wherever they are cut`(part: Int) throws {
        var random = SystemRandomNumberGenerator()
        let newline: [UInt8] = [0x0A]
        let pieces: [[UInt8]] = [
            newline, newline, newline, [0x0A, 0x0A], [0x61], [0x22], [0x00], [0x80], [0xC3], [0xA9],
            [0xE2, 0x82],
            [0xAC], [0xF0], [0x9F, 0x98], Array("€".utf8), Array("\u{1B}[3".utf8), Array("1m".utf8),
            Array("\u{1B}]0;x".utf8), [0x07],
        ]
        for _ in 0..<500 {
            let chunks = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                MergedOutput.Chunk(
                    isError: .random(using: &random),
                    bytes: (0..<Int.random(in: 0...2, using: &random)).flatMap { _ in
                        pieces.randomElement(using: &random) ?? []
                    })
            }
            let (strips, trims) = (Bool.random(using: &random), Int.random(in: 0..<4, using: &random) > 0)
            let expected = MergedOutput.text(chunks, stripsAnsi: strips, trims: trims)
            var encoder = OutputEncoder(stripsAnsi: strips, trimsTrailingNewlines: trims)
            var text: [UInt8] = []
            for chunk in chunks {
                encoder.encode(
                    chunk.bytes.span, from: chunk.isError ? .standardError : .standardOutput, into: &text)
            }
            encoder.finish(into: &text)
            let line = Data("{\"text\":\"".utf8) + Data(text) + Data("\"}".utf8)
            let decoded = try? JSONDecoder().decode(Text.self, from: line)
            #expect(decoded?.text == expected, "\(chunks) strips \(strips) trims \(trims)")
        }
    }

    /// A run that is longer than what is written at once comes in parts, and only where something follows.
    /// What may yet be the end is counted and not kept, and takes no longer the more of it there is.
    @Test(arguments: ["\n", "\n\u{1B}[m"])
    func `newlines that nothing follows take no memory`(piece: String) {
        var encoder = OutputEncoder(stripsAnsi: true, trimsTrailingNewlines: true)
        var text: [UInt8] = []
        let chunk = [UInt8](repeating: 0x0A, count: 64 * 1024)
        for _ in 0..<64 { encoder.encode(chunk.span, into: &text) }
        let fragments = Array(String(repeating: piece, count: 20_000).utf8)
        encoder.encode(fragments.span, into: &text)
        // The first byte of a character may come alone.
        encoder.encode([0xC3].span, from: .standardError, into: &text)
        #expect(text.isEmpty && text.capacity < 1024)
    }

    @Test(arguments: [nil, "x", "\u{1B}[m", "\u{1B}[mx", "\n"] as [String?])
    func `a long run is written in parts`(
        next: String?
    ) {
        let count = 3 * OutputEncoder.runLimit + 5
        var encoder = OutputEncoder(stripsAnsi: true, trimsTrailingNewlines: true)
        var text: [UInt8] = []
        encoder.encode(Array("a".utf8).span, into: &text)
        encoder.encode([UInt8](repeating: 0x0A, count: count).span, into: &text)
        // A character that is never finished is known only at the end.
        encoder.encode([0xC3].span, from: .standardError, into: &text)
        let step: (inout OutputEncoder, inout [UInt8]) -> Void = { encoder, text in
            guard let next else { return encoder.finish(into: &text) }
            encoder.encode(Array(next.utf8).span, into: &text)
        }
        var parts = 0
        while encoder.writeRun(before: step, into: &text) { parts += 1 }
        let follows = next.map { $0.contains("x") } ?? true
        #expect(parts == (follows ? 3 : 0))
        step(&encoder, &text)
        let end = next == nil ? Array("\u{FFFD}".utf8) : Array("x".utf8)
        let run = String(repeating: "\\n", count: count).utf8
        let isSame = text == (follows ? Array("a".utf8) + run + end : Array("a".utf8))
        #expect(isSame)
    }

    @Test func `newlines between the streams stay`() {
        let text = encode([(.standardOutput, Array("a\n".utf8)), (.standardError, Array("b\n\n".utf8))])
        #expect(text == "a\\nb")
    }
}

// Outputs on their way into a reply: the filter, the newlines at the end, two streams, and base64.
import Foundation
import Testing

@testable import DokkuDaemon

@Suite struct OutputEncoderTests {
    private func encoded(_ chunks: [ArraySlice<UInt8>], strips: Bool = true, trims: Bool = true) -> String {
        var encoder = OutputEncoder(stripsAnsi: strips, trimsTrailingNewlines: trims)
        var result: [UInt8] = []
        for chunk in chunks { encoder.encode(chunk.span, into: &result) }
        result.removeLast(encoder.finish(into: &result))
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
    func theWholeWayHoweverItIsCut(input: String, expected: String) {
        for chunks in cuts(bytes(input)) { #expect(encoded(chunks) == expected) }
    }

    @Test func sequencesAndNewlinesStayWhereAsked() {
        for chunks in cuts(bytes("a\u{1B}[m\n\n")) {
            #expect(encoded(chunks, strips: false, trims: false) == #"a\u001b[m\n\n"#)
            #expect(encoded(chunks, strips: false) == #"a\u001b[m"#)
            #expect(encoded(chunks, trims: false) == #"a\n\n"#)
        }
    }

    @Test func aCutCharacterBeforeNewlinesIsReplaced() {
        for chunks in cuts([0x61, 0xE2, 0x82, 0x0A, 0x0A]) { #expect(encoded(chunks) == "a\u{FFFD}") }
        for chunks in cuts([0xE2, 0x82, 0x0A, 0x0A, 0xAC]) {
            #expect(encoded(chunks) == #"\#u{FFFD}\n\n\#u{FFFD}"#)
        }
        for chunks in cuts([0xE2, 0x82, 0x1B, 0x5B, 0x6D, 0xAC]) { #expect(encoded(chunks) == "€") }
    }
}

@Suite struct Base64EncoderTests {
    @Test func groupsAreTheSameHoweverTheyAreCut() {
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

    @Test func everyDigitIsWritten() {
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
    private func encode(_ chunks: [(DokkuDaemon.OutputStream, [UInt8])]) -> String {
        var encoder = OutputEncoder(stripsAnsi: true, trimsTrailingNewlines: true)
        var text: [UInt8] = []
        for (stream, bytes) in chunks { encoder.encode(bytes.span, from: stream, into: &text) }
        text.removeLast(encoder.finish(into: &text))
        return String(decoding: text, as: UTF8.self)
    }

    @Test func aCharacterCutInOneStreamGoesOnThere() {
        let accent = Array("é".utf8)
        let text = encode([
            (.standardOutput, [accent[0]]), (.standardError, Array("x".utf8)), (.standardOutput, [accent[1]]),
        ])
        #expect(text == "xé")
    }

    @Test func aNewlineOfTheOtherStreamDoesNotEndACharacter() {
        let accent = Array("é".utf8)
        let text = encode([
            (.standardError, [accent[0]]), (.standardOutput, Array("\n".utf8)), (.standardError, [accent[1]]),
        ])
        #expect(text == "\\né")
    }

    @Test func aNewlineOfItsOwnStreamEndsACharacter() {
        let accent = Array("é".utf8)
        let text = encode([
            (.standardOutput, [accent[0], 0x0A]), (.standardError, Array("x".utf8)),
            (.standardOutput, [accent[1]]),
        ])
        #expect(text == "\u{FFFD}\\nx\u{FFFD}")
    }

    @Test func anEscapeSequenceCutInOneStreamGoesOnThere() {
        let text = encode([
            (.standardOutput, Array("\u{1b}[3".utf8)), (.standardError, Array("1 x".utf8)),
            (.standardOutput, Array("1mred".utf8)),
        ])
        #expect(text == "1 xred")
    }

    @Test func newlinesBetweenTheStreamsStay() {
        let text = encode([(.standardOutput, Array("a\n".utf8)), (.standardError, Array("b\n\n".utf8))])
        #expect(text == "a\\nb")
    }
}

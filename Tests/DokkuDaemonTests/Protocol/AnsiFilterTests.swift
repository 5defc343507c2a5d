// What the filter takes out of an output, wherever the output is cut.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct AnsiFilterTests {
    private func filtered(_ chunks: [ArraySlice<UInt8>]) -> [UInt8] {
        var filter = AnsiFilter()
        var result: [UInt8] = []
        for chunk in chunks {
            filter.filter(chunk.span) { part in
                let size = part.count
                #expect(size > 0)
                for index in part.indices { result.append(part[index]) }
            }
        }
        filter.finish()
        filter.filter(bytes("!").span) { part in result.append(part[0]) }
        return result
    }

    @Test(arguments: [
        ("", ""),
        ("plain\ntext\r\n", "plain\ntext\r\n"),
        ("\u{1B}[1;31mred\u{1B}[0m", "red"),
        ("a\u{1B}[Kb\u{1B}[2Jc\u{1B}[?25ld\u{1B}[>4;2me\u{1B}[!pf\u{1B}[1 qg", "abcdefg"),
        ("\u{1B}]0;title\u{07}a", "a"),
        ("\u{1B}]8;;http://x\u{1B}\\link\u{1B}]8;;\u{1B}\\", "link"),
        ("\u{1B}]0;never ended\nnext", "\nnext"),
        ("\u{1B}Pq#0\u{07}stays in\u{1B}\\a\u{1B}Xb\u{1B}\\c\u{1B}^d\u{1B}\\e\u{1B}_f\u{1B}\\g", "aceg"),
        ("\u{1B}Pnever ended\nnext\u{1B}_nor this\nlast", "\nnext\nlast"),
        ("\u{1B}(Ba\u{1B}7b\u{1B}8c\u{1B}=d\u{1B}#8e\u{1B}%Gf\u{1B}$(Cg\u{1B}ch", "abcdefgh"),
        ("a\u{1B}[31\nb", "a\nb"),
        ("a\u{1B}[31\u{7F}b", "a\u{7F}b"),
        ("a\u{1B}[31éb", "aéb"),
        ("a\u{1B}[1 3mb", "a3mb"),
        ("a\u{1B}\nb\u{1B}éc\u{1B}(\td", "a\nbéc\td"),
        ("a\u{1B}\u{1B}[1mb\u{1B}[3\u{1B}[1mc\u{1B}]x\u{1B}[1md\u{1B}(\u{1B}[1me", "abcde"),
        ("a\u{1B}", "a"),
        ("a\u{1B}[", "a"),
        ("a\u{1B}]b", "a"),
        ("\u{9B}31m\u{9D}x\u{90}", "\u{9B}31m\u{9D}x\u{90}"),
        ("日本\u{1B}[0m語", "日本語"),
    ])
    func `ANSI sequences go wherever they are cut`(input: String, expected: String) {
        for chunks in cuts(bytes(input)) {
            #expect(text(filtered(chunks)) == expected + "!", "\(chunks.map { Array($0) })")
        }
    }

    @Test func `bytes that are not UTF-8 stay`() {
        let input: [UInt8] = [0x9B, 0x33, 0x31, 0x6D, 0xFF, 0x00, 0x80]
        #expect(filtered([input[...]]) == input + bytes("!"))
    }

    @Test func `plain text is one part`() {
        var filter = AnsiFilter()
        var parts = 0
        filter.filter(bytes("a line\nand another\n").span) { _ in parts += 1 }
        #expect(parts == 1)
    }
}

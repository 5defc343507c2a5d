// Text of others never reaches a terminal as it is, and takes as many columns as was thought.
import Testing

@Suite struct PrintableTests {
    @Test(arguments: [
        ("ps:rebuild blog", "ps:rebuild blog"), ("a\u{1B}[31mb", "a?[31mb"), ("\u{9B}31m", "?31m"),
        ("a\tb\nc\r", "a?b?c?"), ("\u{1B}]0;x\u{7}", "?]0;x?"), ("\u{202E}evil", "?evil"),
        ("\u{200B}\u{2028}\u{7F}\0", "????"), ("größe 日本 🐳", "größe 日本 🐳"), ("e\u{301}", "e\u{301}"),
    ])
    func `what cannot be seen is a question mark`(text: String, shown: String) {
        #expect(Printable.text(text).unicodeScalars.elementsEqual(shown.unicodeScalars))
    }

    @Test func `no scalar that a terminal obeys comes through`() {
        for value in UInt32(0)...0x2FFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let isObeyed = value < 0x20 || (0x7F...0x9F).contains(value)
            if isObeyed { #expect(Printable.text(String(scalar)) == "?", "\(value)") }
        }
    }

    @Test(arguments: [
        ("", 0), ("abc", 3), ("日本", 4), ("🐳", 2), ("e\u{301}", 1), ("ｆ", 2), ("…", 1), ("한", 2),
    ])
    func `columns are counted`(text: String, columns: Int) {
        #expect(Printable.columns(text) == columns)
    }

    @Test(arguments: [
        ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("abcdef", 1, "…"), ("abcdef", 0, ""),
        ("日本語", 5, "日本…"), ("日本語", 4, "日…"),
    ])
    func `what is too long is cut at a whole character`(text: String, width: Int, cut: String) {
        #expect(Printable.cut(text, to: width) == cut)
    }

    @Test func `several lines of the daemon's are one`() {
        #expect(
            Printable.line(" !     `x` is not a dokku command.\n !     See `dokku help`\n")
                == "`x` is not a dokku command.; See `dokku help`")
    }
}

// Words by the rules of the shell, redirections, and lines that have no meaning.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct ShellWordsTests {
    typealias Failure = ShellWords.Failure

    private func split(
        _ line: String, raw: Bool = false, redirection: Bool = true
    ) throws -> ([String], Redirection?) {
        var words: ArgumentList = ["left", "over"]
        let found = try (raw ? ShellWords.splitAtBlanks : ShellWords.split)(
            bytes("\n" + line + "\n")[...].dropFirst().dropLast(), &words, redirection)
        return ((0..<words.count).map { words.text($0) }, found)
    }

    @Test(arguments: [
        ("", []),
        (" \t ", []),
        ("apps:list", ["apps:list"]),
        ("  apps:create\tpython-app  ", ["apps:create", "python-app"]),
        ("config:set app KEY=\"a b\"", ["config:set", "app", "KEY=a b"]),
        ("a'b c'd", ["ab cd"]),
        ("'' \"\" ''\"\"", ["", "", ""]),
        ("a\\ b \\' \\\" \\\\ \\a", ["a b", "'", "\"", "\\", "a"]),
        ("'a\\b\"c'", ["a\\b\"c"]),
        (#""a\"b\\c\$d\`e\n\'""#, [#"a"b\c$d`e\n\'"#]),
        (#""\\""#, ["\\"]),
        ("$HOME * ? ; | &", ["$HOME", "*", "?", ";", "|", "&"]),
        ("# (a) {b} `c` ~", ["#", "(a)", "{b}", "`c`", "~"]),
        ("a\r", ["a\r"]),
        ("é ü\u{1F600}", ["é", "ü\u{1F600}"]),
        ("'a\nb' \"c\nd\" e\\\nf \"g\\\nh\"", ["a\nb", "c\nd", "ef", "gh"]),
    ])
    func `a line is split as a shell splits it`(line: String, expected: [String]) throws {
        let (words, redirection) = try split(line)
        #expect(words == expected)
        #expect(redirection == nil)
    }

    @Test(arguments: [
        ("a 'b", Failure.unbalancedSingleQuote, ["a"]),
        ("'", .unbalancedSingleQuote, []),
        ("a b\"c'", .unbalancedDoubleQuote, ["a"]),
        ("a \"b\\", .unbalancedDoubleQuote, ["a"]),
        ("a \"b\\\"", .unbalancedDoubleQuote, ["a"]),
        ("a b\\", .trailingBackslash, ["a"]),
        ("a b\0c", .nulByte, ["a"]),
        ("a 'b\0c'", .nulByte, ["a"]),
        ("a \"b\0c\"", .nulByte, ["a"]),
        ("a \"b\\\0c\"", .nulByte, ["a"]),
        ("a b\\\0c", .nulByte, ["a"]),
        ("a b\nc", .unquotedNewline, ["a"]),
        ("a < b", .relativePath, ["a", "<", "b"]),
        ("a > ''", .relativePath, ["a", ">", ""]),
        ("a > >", .relativePath, ["a", ">", ">"]),
    ])
    func `a wrong line says what is wrong`(line: String, failure: Failure, complete: [String]) {
        var words: ArgumentList = ["left", "over"]
        #expect(throws: failure) { try ShellWords.split(bytes(line)[...], into: &words) }
        #expect(words == ArgumentList(complete))
    }

    @Test(arguments: ["a 'b", "a \"b", "a b\\", "a < b", "a \0"])
    func `refusals are meant for the client`(line: String) {
        var words = ArgumentList()
        do {
            _ = try ShellWords.split(bytes(line)[...], into: &words)
            Issue.record("no failure")
        } catch {
            #expect(error.refusal.code == .invalidRequest)
            #expect(!error.refusal.text.isEmpty)
        }
    }

    @Test func `each failure has a text`() {
        let texts = Set(Failure.allCases.map(\.refusal.text))
        #expect(texts.count == Failure.allCases.count)
    }

    @Test(arguments: [
        ("db:import x < /tmp/dump", ["db:import", "x"], Redirection.Direction.input, "/tmp/dump"),
        ("db:export x > '/tmp/a b'", ["db:export", "x"], .output, "/tmp/a b"),
        ("a < /b > /c", ["a", "<", "/b"], .output, "/c"),
        ("< /b", [], .input, "/b"),
    ])
    func `a redirection is taken off`(
        line: String, rest: [String], direction: Redirection.Direction, path: String
    ) throws {
        let (words, redirection) = try split(line)
        #expect(words == rest)
        #expect(redirection == Redirection(direction: direction, path: bytes(path)))
        let plain = try split(line, redirection: false)
        #expect(plain.0.count == rest.count + 2)
        #expect(plain.1 == nil)
    }

    @Test(arguments: [
        "a '<' /b", "a \\> /b", "a \"<\" /b", "a </b", "a b< /c", "a << /b", "a /b <", "<", "a < /b c",
    ])
    func `words that only look like a redirection stay`(line: String) throws {
        #expect(try split(line).1 == nil)
    }

    @Test func `raw words know no quotes`() throws {
        #expect(try split("a  'b c'\t\\d \"e", raw: true).0 == ["a", "'b", "c'", "\\d", "\"e"])
        let (words, redirection) = try split("a > /b'c", raw: true)
        #expect(words == ["a"])
        #expect(redirection == Redirection(direction: .output, path: bytes("/b'c")))
        #expect(throws: Failure.nulByte) { try split("a \0", raw: true) }
        #expect(throws: Failure.relativePath) { try split("a < '/b'", raw: true) }
    }

    @Test func `words need not be UTF-8`() throws {
        var words = ArgumentList()
        _ = try ShellWords.split([0x61, 0x20, 0xFF, 0x80, 0xC3][...], into: &words)
        #expect(Array(words[1]) == [0xFF, 0x80, 0xC3])
    }

    @Test func `a line full of quotes takes linear time`() throws {
        let line = String(repeating: "'a'\\b\"c\" ", count: 100_000)
        #expect(try split(line).0.count == 100_000)
    }
}

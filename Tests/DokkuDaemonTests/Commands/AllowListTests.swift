// Lists of allowed commands: how a line is read, and what it allows.
import DokkuProtocol
import Testing

@testable import DokkuDaemon

@Suite struct AllowListTests {
    /// Whether a list of one line allows the words.
    private func allows(_ line: String, _ words: [String], hasInput: Bool = false) throws -> Bool {
        try AllowList(parsing: line.utf8).line(allowing: ArgumentList(words), hasInput: hasInput) != nil
    }

    private func faults(_ text: String) -> [String] {
        do throws(AllowList.Fault) {
            _ = try AllowList(parsing: text.utf8)
            return []
        } catch {
            return error.lines
        }
    }

    @Test func `a word matches itself alone`() throws {
        #expect(try allows("ps:restart blog", ["ps:restart", "blog"]))
        for words in [
            ["ps:restart"], ["ps:restart", "blog", ""], ["ps:restart", "blog", "x"], ["ps:restart", "blog2"],
            ["ps:restart", "Blog"], ["ps:restart", " blog"], ["ps:restart blog"], ["PS:restart", "blog"],
            ["--quiet", "ps:restart", "blog"], ["ps:restart", "--quiet", "blog"],
            ["ps:restart", "blog", "--force"],
            ["--", "ps:restart", "blog"], ["ps:restart", "--", "blog"], ["", "ps:restart", "blog"],
            ["ps:restart", "blog\n"], ["ps:restart", "bl\u{200b}og"], ["blog", "ps:restart"],
            ["ps:restart:help"],
            ["--app", "blog", "ps:restart"], ["--app", "other", "ps:restart", "blog"], [],
        ] {
            #expect(try !allows("ps:restart blog", words), "\(words)")
        }
    }

    @Test func `a star is one plain word`() throws {
        for word in [
            "blog", "a_b.c-d", "KEY=value", "https://x.example/y%20z", "ü", "node.js:20@sha256", "10", "a#b",
            "x/y", "x/...", "x../y", "v1..v2", "😀",
        ] {
            #expect(try allows("ps:report *", ["ps:report", word]), "\(word)")
        }
        for word in [
            "", "-x", "--all", "--app", ".", "..", "../x", "x/../y", "x/..", "/etc/passwd", "~/x", "a b",
            "a\tb", "a\nb",
            "a\u{0b}b", "\u{7f}", "'a'", "a\"", "a\\b", "$HOME", "`id`", "a;b", "a&b", "a|b", "a>b", "a<b",
            "(a)", "*",
            "...", "a?", "[a]", "{a,b}", "a{b", "a}", "#a", "a\u{85}b", "a\u{a0}b", "a\u{2028}b",
            "a\u{202e}b", "x/..",
            "a//../b",
        ] {
            #expect(try !allows("ps:report *", ["ps:report", word]), "\(word)")
        }
        #expect(try !allows("ps:report *", ["ps:report"]))
        #expect(try !allows("ps:report *", ["ps:report", "a", "b"]))
        #expect(try allows("--app * ps:report", ["--app", "blog", "ps:report"]))
    }

    @Test func `a star is text`() throws {
        let list = try AllowList(parsing: "ps:report *".utf8)
        for bytes: [UInt8] in [[0xff], [0x61, 0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80]] {
            var words: ArgumentList = ["ps:report"]
            words.append(bytes)
            words.endWord()
            #expect(list.line(allowing: words, hasInput: false) == nil, "\(bytes)")
        }
    }

    @Test func `three dots are any further words`() throws {
        let line = "config:set --no-restart blog ..."
        for rest in [[], ["A=1"], ["A=b c", "-x", "", "*", "...", "$(id)"]] {
            #expect(try allows(line, ["config:set", "--no-restart", "blog"] + rest), "\(rest)")
        }
        #expect(try !allows(line, ["config:set", "--no-restart", "other", "A=1"]))
        #expect(try !allows(line, ["config:set", "--no-restart"]))
    }

    /// dokku finds `--app` anywhere: `ps:restart blog --app other` restarts the other.
    @Test(arguments: [
        "--app", "--trace", "--quiet", "--force", "--global", "--all", "--all-apps", "--all=true",
        "--global=1",
        "--app=x",
    ])
    func `three dots are no flag that leads away`(flag: String) throws {
        #expect(try !allows("ps:restart blog ...", ["ps:restart", "blog", flag, "other"]))
        #expect(try !allows("ps:restart blog ...", ["ps:restart", "blog", "--parallel", "2", flag]))
        #expect(try allows("ps:restart \(flag) ...", ["ps:restart", flag, "other"]), "it stands in the line")
    }

    @Test func `an input needs its sign`() throws {
        #expect(try !allows("certs:add blog", ["certs:add", "blog"], hasInput: true))
        #expect(try !allows("certs:add blog ...", ["certs:add", "blog", "<"], hasInput: true))
        for line in ["certs:add blog <", "certs:add blog ... <"] {
            #expect(try allows(line, ["certs:add", "blog"], hasInput: true))
            #expect(try allows(line, ["certs:add", "blog"]))
        }
    }

    @Test func `blanks, comments and empty lines are nothing`() throws {
        let text = "# a comment\n\n  ps:restart \t blog\t# its app\n   \n#x\nlogs blog#1 -t"
        let list = try AllowList(parsing: text.utf8)
        #expect(list.lines.map(\.number) == [3, 6])
        #expect(list.lines.map(\.text) == ["ps:restart blog", "logs blog#1 -t"])
        #expect(list.names("ps:restart") && list.names("logs") && !list.names("ps:stop"))
        #expect(try AllowList(parsing: "".utf8).lines.isEmpty)
        #expect(try AllowList(parsing: "".utf8).line(allowing: ["ps:restart"], hasInput: false) == nil)
    }

    @Test func `the first line that fits is told`() throws {
        let list = try AllowList(parsing: "ps:stop blog\nps:restart *\nps:restart blog\n".utf8)
        #expect(list.line(allowing: ["ps:restart", "blog"], hasInput: false)?.number == 2)
    }

    /// Only lines with the name of the request's command are compared.
    @Test func `a line is found behind its global flags`() throws {
        let text =
            "ps:stop x\n--quiet ps:stop blog\n--app * ps:stop\n--app blog --quiet ps:stop *\nps:stop *\n"
        let list = try AllowList(parsing: text.utf8)
        func line(_ words: ArgumentList) -> Int? { list.line(allowing: words, hasInput: false)?.number }
        #expect(line(["--quiet", "ps:stop", "blog"]) == 2)
        #expect(line(["--app", "ps:start", "ps:stop"]) == 3)
        #expect(line(["--app", "blog", "--quiet", "ps:stop", "a"]) == 4)
        #expect(line(["ps:stop", "x"]) == 1 && line(["ps:stop", "y"]) == 5)
        for words: ArgumentList in [
            ["--app", "--quiet", "ps:stop"], ["--app", "ps:stop"], ["--app"], ["ps:stop", "--app", "x"],
        ] { #expect(line(words) == nil, "\(words)") }
    }

    @Test(arguments: [
        "*", "* blog", "...", "... blog", "<", "--quiet", "--app blog", "ps:restart ... blog",
        "ps:restart < blog",
        "ps:restart blog < ...", "ps:restart blog > /x", "ps:restart 'blog'", "ps:restart \"blog\"",
        "ps:restart bl\\og",
        "ps:restart blog\r", "ps:restart \u{1b}[0m", "apps:../x", "/bin/sh", "-x", "daemon:nothing", "a: b",
        "--all",
    ])
    func `a wrong line is told with its number`(line: String) {
        let found = faults("ps:restart blog\n\(line)\n")
        #expect(found.count == 1 && found[0].hasPrefix("line 2: "), "\(found)")
    }

    @Test func `all wrong lines are told`() {
        #expect(faults("*\nps:restart\n...\n").map { $0.prefix(7) } == ["line 1:", "line 3:"])
        do {
            _ = try AllowList(parsing: [0x70, 0xff])
            Issue.record("not UTF-8")
        } catch { #expect(error.lines.count == 1) }
    }
}

// A reply as the log has it: the original's form, one line, never too long.
import Foundation
import Testing

@testable import DokkuDaemon

@Suite struct LoggedReplyTests {
    private func reply(
        _ output: some Collection<UInt8>, ok: Bool = true, isCut: Bool = false, limit: Int = 4096
    ) -> String {
        var line: [UInt8] = []
        LoggedReply.append(ok: ok, output: output, isCut: isCut, limit: limit, to: &line)
        return String(decoding: line, as: UTF8.self)
    }

    private func output(of reply: String) throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(reply.utf8)) as? [String: Any]
        return try #require(object?["output"] as? String)
    }

    @Test func `the line has the form of the original`() {
        #expect(
            reply("Creating python-app... done\n".utf8)
                == #"{"ok":true,"output":"Creating python-app... done"}"#)
        #expect(
            reply(#"say "a\b""#.utf8, ok: false) == #"{"ok":false,"output":"say \"a\\b\""}"#)
        #expect(reply("a\nb\n\n".utf8) == #"{"ok":true,"output":"a\nb"}"#)
        #expect(reply("".utf8) == #"{"ok":true,"output":""}"#)
        #expect(reply("\u{1b}[31mred\u{1b}[0m".utf8) == #"{"ok":true,"output":"red"}"#)
    }

    @Test func `no control character passes`() throws {
        let hostile = "a\r\u{0}\u{7f}\u{85}\u{9b}\u{202e}\u{2028}\u{e0001}\té"
        let text = reply(hostile.utf8)
        let expected = #"{"ok":true,"output":"a\r\u0000\u007f\u0085\u009b\u202e\u2028\udb40\udc01\té"}"#
        #expect(text == expected)
        #expect(try output(of: text) == hostile)
        for byte in UInt8.min...UInt8.max {
            let text = reply([byte, 0x61])
            #expect(!text.unicodeScalars.contains { $0.isControlling })
            #expect(try output(of: text).hasSuffix("a") || byte == 0x1b)
        }
    }

    @Test func `a cut shows and leaves a JSON line`() throws {
        for unit in ["a", "\"", "\n", "\u{0}", "é", "€", "😀", "\u{202e}"] {
            for limit in 1...40 {
                let text = reply(String(repeating: unit, count: 41).utf8 + Array("x".utf8), limit: limit)
                #expect(try output(of: text).hasSuffix("…"))
                #expect(text.utf8.count <= limit + #"{"ok":true,"output":""}"#.utf8.count + "…".utf8.count)
            }
        }
        #expect(reply("ab\n".utf8, isCut: true) == #"{"ok":true,"output":"ab\n…"}"#)
        #expect(reply("abcd".utf8, limit: 4) == #"{"ok":true,"output":"abcd"}"#)
    }
}

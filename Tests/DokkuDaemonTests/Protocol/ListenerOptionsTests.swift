// The rules of a listener, read from its name.
import Foundation
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct ListenerOptionsTests {
    @Test(arguments: ["", "unknown", "dokku-daemon.socket"])
    func `systemd's defaults mean no options`(name: String) throws {
        #expect(try ListenerOptions(parsing: name) == [])
    }

    @Test func `options are read in any order`() throws {
        #expect(try ListenerOptions(parsing: "raw-words,one-shot") == [.oneShot, .rawWords])
        #expect(try ListenerOptions(parsing: "read-only,keep-ansi") == [.readOnly, .keepAnsi])
    }

    @Test func `an unknown option is named`() {
        #expect(throws: ListenerOptions.Unknown(option: "readonly", known: .oneShot)) {
            try ListenerOptions(parsing: "one-shot,readonly")
        }
        #expect(throws: ListenerOptions.Unknown(option: "", known: .oneShot)) {
            try ListenerOptions(parsing: "one-shot,")
        }
    }

    @Test func `a read-only socket gets a share`() {
        #expect(ListenerOptions([.readOnly, .oneShot]).isRestricted)
        #expect(!ListenerOptions([.oneShot, .rawWords, .keepAnsi]).isRestricted)
        #expect([1000, 16, 4, 1].map(ListenerOptions.restrictedShare) == [750, 12, 3, 1])
    }

    /// The page's table and the man page's list have each rule once, in the same order, and no other.
    @Test(arguments: [
        ("docs/protocol.md", "\n## Sockets with rules\n", "| `"),
        ("packaging/man/dokku-daemon-protocol.7", "\n.Ss Rules of a socket\n", ".It "),
    ])
    func `the pages name exactly the rules`(page: String, heading: String, row: String) throws {
        let text = try String(contentsOfFile: Repository.path(page), encoding: .utf8)
        let section = try #require(text.components(separatedBy: heading).dropFirst().first)
        let lines = section.components(separatedBy: heading.prefix(3))[0].split(separator: "\n")
        let named = lines.filter { $0.hasPrefix(row) }.map { line in
            line.dropFirst(row.count).prefix { $0.isLetter || $0 == "-" }
        }
        let all = ListenerOptions(rawValue: .max).description
        #expect(named.joined(separator: ",") == all)
        #expect(try ListenerOptions(parsing: all).description == all)
    }
}

// The rules of a listener, read from its name.
import Foundation
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct ListenerRulesTests {
    private func fault(_ text: String) -> ListenerRules.Fault? {
        #expect(throws: ListenerRules.Fault.self) { try ListenerRules(parsing: text) }
    }

    @Test(arguments: ["", "unknown", "dokku-daemon.socket"])
    func `systemd's defaults mean no rules`(name: String) throws {
        #expect(try ListenerRules(parsing: name) == ListenerRules())
    }

    @Test func `rules are read in any order`() throws {
        #expect(try ListenerRules(parsing: "raw-words,one-shot").options == [.oneShot, .rawWords])
        #expect(
            try ListenerRules(parsing: "allow=blog,read-only,name=ci")
                == ListenerRules(.readOnly, user: "ci", list: "blog"))
    }

    @Test func `a list that ends like a unit's name is a list`() throws {
        #expect(try ListenerRules(parsing: "allow=ci.socket") == ListenerRules(list: "ci.socket"))
        #expect(try ListenerRules(parsing: "name=ci.socket") == ListenerRules(user: "ci.socket"))
        #expect(fault("read-only,ci.socket")?.known == ListenerRules(.readOnly))
    }

    @Test func `rules say themselves again`() throws {
        for text in ["", "read-only,one-shot", "name=ci", "keep-ansi,name=a.b@c+d-e_f,allow=9"] {
            #expect("\(try ListenerRules(parsing: text))" == text)
        }
    }

    @Test func `what is no rule is named, and the others hold`() {
        #expect(fault("one-shot,readonly")?.known == ListenerRules(.oneShot))
        #expect(fault("name=ci,readonly")?.known == ListenerRules(user: "ci"))
        #expect(fault("one-shot,readonly")?.text.contains("\"readonly\" is not a rule") == true)
        #expect(fault("one-shot,")?.known == ListenerRules(.oneShot))
        #expect(fault("name=ci,name=other")?.text == "name= stands twice")
    }

    @Test(arguments: [
        "", ".", "..", "../x", "/x", "-x", "x/y", "a b", "a,b", "a=b", "a\nb", "a\u{0}b", "ü", "*", "...",
        "'a'",
        String(repeating: "a", count: 65),
    ])
    func `a name is one plain word`(name: String) {
        #expect(fault("name=\(name)") != nil)
        #expect(fault("allow=\(name)") != nil)
    }

    @Test(arguments: ["read-only", "name=ci", "allow=blog", "one-shot,allow=blog"])
    func `a socket that may not do all gets a share`(text: String) throws {
        #expect(try ListenerRules(parsing: text).isRestricted)
        #expect(!ListenerRules([.oneShot, .rawWords, .keepAnsi]).isRestricted)
        #expect([1000, 16, 4, 1].map(ListenerOptions.restrictedShare) == [750, 12, 3, 1])
    }

    @Test func `jobs are seen by their owner and the host`() throws {
        let owners = try ["", "name=ci", "name=ci,allow=a", "name=other", "allow=a", "allow=ci"].map {
            try ListenerRules(parsing: $0).owner
        }
        let seen = owners.map { owner in owners.map { owner.sees($0) } }
        #expect(!seen[0].contains(false))
        #expect(seen[1] == [false, true, true, false, false, false] && seen[2] == seen[1])
        #expect(seen[3] == [false, false, false, true, false, false])
        #expect(seen[4] == [false, false, false, false, true, false])
        #expect(seen[5] == [false, false, false, false, false, true])
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
            let rule = line.dropFirst(row.count).prefix { $0.isLetter || $0 == "-" || $0 == "=" }
            return rule.prefix { $0 != "=" } + (rule.contains("=") ? "=" : "")
        }
        #expect(named.joined(separator: ",") == "\(ListenerOptions(rawValue: .max)),name=,allow=")
    }
}

// The daemon's own commands.
import Foundation
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct BuiltinTests {
    @Test(arguments: [
        ("commands", Builtin.commands), ("refresh", .refresh), ("daemon:version", .version(.text)),
        ("daemon:status", .status(.text)), ("daemon:version --format json", .version(.json)),
        ("daemon:status --format=json", .status(.json)), ("daemon:queue --format json", .queue(.json)),
        ("daemon:queue --format stdout", .queue(.text)), ("daemon:queue --format=stdout", .queue(.text)),
        ("daemon:queue", .queue(.text)), ("daemon:cancel 12", .cancel(job: 12)), ("daemon:help", .help),
        ("daemon:cancel 18446744073709551615", .cancel(job: .max)), ("--quiet daemon:status", .status(.text)),
        ("--app x commands", .commands), ("daemon:signal 7 INT", .signal(job: 7, .interrupt)),
        ("daemon:signal 7 WINCH", .signal(job: 7, .windowChange)),
    ])
    func `built-ins are recognised in every form`(line: String, builtin: Builtin) {
        #expect(judge(line, with: nil) == .builtin(builtin))
        #expect(judge(line, Forms.stream) == .builtin(builtin))
        #expect(judge(line, Forms.input) == .builtin(builtin))
    }

    @Test(arguments: [
        "daemon:cancel", "daemon:cancel x", "daemon:cancel -1", "daemon:cancel +1", "daemon:cancel 1.0",
        "daemon:cancel 1 2", "daemon:cancel 18446744073709551616", "daemon:cancel 0x1", "commands x",
        "refresh x",
        "daemon:version 1", "daemon:version --format", "daemon:queue --format text", "daemon:queue json",
        "daemon:status --format json x", "daemon:status --format=", "daemon:help --format json",
        "commands --format json", "daemon:queue --format json --format json", "daemon:queue --FORMAT json",
        "daemon:signal", "daemon:signal 1", "daemon:signal INT", "daemon:signal 1 STOP",
        "daemon:signal 1 int",
        "daemon:signal 1 SIGINT", "daemon:signal 1 2", "daemon:signal x INT", "daemon:signal 1 INT 2",
        "daemon:queue x --format json", "daemon:help me", "daemon:cancel 000000000000000000001x",
    ])
    func `wrong words are refused with the reason`(line: String) {
        guard case .refuse(let refusal) = judge(line) else {
            Issue.record("\(line) was not refused")
            return
        }
        #expect(refusal.code == .invalidRequest)
        #expect(!refusal.text.isEmpty)
    }

    @Test func `a job number is one word of digits`() {
        for number in ["", " 1", "1 ", "1\n", "١", "1_000", "-0", "-00"] {
            #expect(judge(["daemon:cancel", number]).code == .invalidRequest)
        }
    }

    @Test(arguments: ["commands", "refresh", "daemon:version", "daemon:cancel 1"])
    func `a built-in cannot be redirected`(line: String) {
        #expect(judge(line, Forms.toFile).code == .invalidRequest)
        #expect(judge(line, Forms.fromFile).code == .invalidRequest)
    }

    @Test func `names are exact`() {
        for line in [
            "daemon:versio", "daemon:version:help", "daemon:cancel:help", "daemon:queue:",
        ] {
            #expect(judge(line) == .refuse(.invalidCommand))
        }
        for line in ["command", "refreshes", "daemon", "Daemon:version"] { #expect(judge(line).isUnknown) }
    }

    @Test func `the help names all built-ins`() {
        let names = ["commands", "refresh", "version", "status", "queue", "cancel N", "help"]
        for name in names { #expect(Builtin.helpText.contains(name)) }
        #expect(!Builtin.helpText.hasSuffix("\n"))
    }

    /// The page's table has a row for each, in the same order, and says which are logged.
    @Test func `the page of the protocol names all built-ins`() throws {
        let page = try String(
            contentsOfFile: Repository.path("docs/protocol.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "## The daemon's own commands\n").last)
        let rows = section.split(separator: "\n").filter { $0.hasPrefix("| `") }.prefix(Builtin.all.count)
        let forms = Builtin.all.map(\.entry).map { entry in
            "| `\(entry.name)\(entry.argument.map { " \($0)" } ?? "")` |"
        }
        #expect(zip(rows, forms).allSatisfy { $0.hasPrefix($1) } && rows.count == forms.count)
        let logged = Builtin.all.map(\.entry).filter(\.changesSomething).map { "`\($0.name)`" }
        let list = "\(logged.dropLast().joined(separator: ", ")) and \(try #require(logged.last))"
        #expect(section.contains("Only \(list) are logged."))
    }

    @Test func `the page of the protocol says what each feature means`() throws {
        let page = try String(contentsOfFile: Repository.path("docs/protocol.md"), encoding: .utf8)
        let table = try #require(page.components(separatedBy: "| feature | meaning |\n|---|---|\n").last)
        let rows = table.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.hasPrefix("|") }
        let names = rows.map { $0.dropFirst("| `".count).prefix { $0 != "`" } }
        #expect(names == Feature.allCases.map { $0.rawValue[...] })
    }
}

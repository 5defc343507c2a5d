// What a person is told of each error word, and what a command is about.
import Testing

@testable import DokkuProtocol

@Suite struct VerdictTests {
    private func words(_ words: String...) throws -> Arguments {
        try Arguments(words.map { Array($0.utf8) }, asDokku: false)
    }

    private func refused(_ code: String, _ text: String = "Because") -> Verdict {
        Verdict(ReplyLine.End(isOK: false, error: code, output: Array(text.utf8)))
    }

    @Test(
        arguments: [
            ("queue_full", 75, "daemon:queue"), ("buffer_full", 75, "again"),
            ("too_many_connections", 75, "again"),
            ("shutting_down", 75, "again"), ("denied", 77, "-S"), ("requires_stdin", 64, "< FILE"),
            ("storage_failed", 74, "journalctl"), ("spawn_failed", 69, "journalctl"),
            ("misconfigured", 69, "systemctl restart"), ("unknown_job", 64, "daemon:jobs"),
            ("input_too_long", 74, "DOKKU_DAEMON_MAX_INPUT"), ("line_too_long", 64, "file"),
            ("interrupted", 69, "see what it has done"), ("a_new_word", 64, "Because"),
        ] as [(String, Int32, String)])
    func `an error has a next step`(code: String, status: Int32, step: String) {
        let verdict = refused(code)
        #expect(verdict.end == .exit(status))
        #expect(verdict.message?.hasPrefix("Because") == true && verdict.message?.contains(step) == true)
    }

    @Test func `an unknown name has a suggestion if one is near`() {
        #expect(
            Verdict(unknown: "apps:lst", among: ["apps:list"]).message
                == "apps:lst is no command; did you mean apps:list?")
        #expect(Verdict(unknown: "x", among: []).message?.contains("did you mean") == false)
    }

    @Test func `what a command is about`() throws {
        func target(_ arguments: Arguments) -> String? {
            arguments.target.map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(try target(words("apps:destroy", "blog")) == "blog")
        #expect(try target(words("--app", "blog", "apps:destroy")) == "blog")
        #expect(try target(words("storage:destroy", "--destroy-host-dir", "data")) == "data")
        #expect(try target(words("apps:destroy")) == nil)
        #expect(try target(words("apps:destroy", "")) == "")
    }

    @Test func `force stands before the name`() throws {
        let forced = try words("--app", "blog", "apps:destroy", "x").words(with: "--force")
        #expect((0..<forced.count).map(forced.text) == ["--app", "blog", "--force", "apps:destroy", "x"])
    }
}

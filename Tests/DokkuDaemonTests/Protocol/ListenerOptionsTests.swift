// The rules of a listener, read from its name.
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
}

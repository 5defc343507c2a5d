// A built-in's answer: made once, and refused if there is no room for it.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct SharedAnswerTests {
    private let folder: Folder
    private let text = String(repeating: "a\n", count: 5000)

    init() throws { folder = try Folder() }

    private func account(_ folder: String) -> SpoolAccount { SpoolAccount(folder: folder, limit: 1 << 20) }

    @Test func `the bytes are made once`() throws {
        let answer = SharedAnswer(text, account: account(folder.path))
        #expect(try answer.escaped() === answer.escaped())
        #expect(try answer.base64() === answer.base64())
        #expect(try answer.escaped().count == 15_000 && answer.base64().count == 13_336)
    }

    @Test func `a large answer fails if memory is short and no file can be had`() throws {
        let account = account(folder.path("none"))
        let answer = SharedAnswer(text, account: account)
        var others = 0
        account.store.didAllocate(100 << 20, was: &others)
        #expect(throws: SystemError.self) { try answer.escaped() }
        // It is not tried again before there is memory.
        try folder.makeFolder("none")
        #expect(throws: SystemError.self) { try answer.escaped() }
        #expect(try answer.base64().memoryBytes == nil, "it is in a file")
        account.store.didAllocate(0, was: &others)
        #expect(try answer.escaped().memoryBytes?.count == 15_000)
        #expect(account.budget.used == 0)
    }

    @Test func `a small answer always finds room`() throws {
        let account = account(folder.path("none"))
        var others = 0
        account.store.didAllocate(100 << 20, was: &others)
        #expect(try SharedAnswer("small", account: account).escaped().count == 5)
        account.store.didAllocate(0, was: &others)
    }

    @Test(arguments: [true, false]) func `a client is told that its answer is missing`(isPlain: Bool) throws {
        let sink = FakeRequester(folder)
        let responder: any Responder =
            isPlain
            ? PlainResponder(sink, keepsAnsi: false)
            : JSONResponder(sink, fault: .init(refusal: .invalidCommand))
        sink.didOpen(responder)
        let account = account(folder.path("none"))
        var others = 0
        account.store.didAllocate(100 << 20, was: &others)
        responder.answer(SharedAnswer(text, account: account))
        let lines = sink.takeLines()
        #expect(
            lines.count == 1 && lines[0].contains("\"ok\":false") && lines[0].contains("could not be stored"))
        #expect(isPlain || lines[0].contains("output_truncated"))
        #expect(sink.open.isEmpty)
        account.store.didAllocate(0, was: &others)
    }
}

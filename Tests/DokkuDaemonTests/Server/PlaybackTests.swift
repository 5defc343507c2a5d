// Answers from the archive, step by step.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct PlaybackTests {
    private let desk: Desk
    private let archive: Archive
    private let followers = Followers()
    private let turns: Turns
    private let client: FakeRequester
    private let output = (0..<200_000).map { UInt8(ascii: "a") + UInt8($0 % 26) }

    /// An archive with a job that has ended.
    init() throws {
        desk = try Desk()
        archive = desk.open()
        turns = Turns(timers: desk.loop.timers)
        client = FakeRequester(desk.folder)
        try archive.insert(.sample(1), isRunning: true)
        try archive.append(output.span, stream: .standardOutput, to: 1)
        archive.markEnded(1, .sample())
    }

    /// The data of the events that a streamed `daemon:wait` gets.
    private func events() throws -> [Int] {
        var request = JSONRequest(["daemon:wait", "1"])
        request.isStreamed = true
        let responder = JSONResponder(client, request)
        client.didOpen(responder)
        Playback(
            of: 1, .untilEnd, for: responder, archive: archive, followers: followers, turns: turns,
            reservation: nil
        ).start()
        try desk.loop.turn(until: client.open.isEmpty, "the answer")
        let data = client.takeLines().dropLast().map { line in
            line.split(separator: #""data":""#).last.map { String($0.dropLast(2)) } ?? ""
        }
        #expect(data.joined() == String(decoding: output, as: UTF8.self))
        return data.map(\.utf8.count)
    }

    @Test func `an answer is read in large steps`() throws {
        #expect(try events() == [65536, 65536, 65536, 3392])
    }

    @Test func `while memory is short a live answer is read in small steps`() throws {
        var others = 0
        client.account.store.didAllocate(100 << 20, was: &others)
        let events = try events()
        #expect(events.count > 20 && events.allSatisfy { $0 <= 8192 })
    }

    @Test func `an answer that is cut has nothing behind the cut`() throws {
        let nowhere = try Folder()
        let client = FakeRequester(nowhere)
        rmdir(nowhere.path)
        var others = 0
        client.account.store.didAllocate(100 << 20, was: &others)
        try archive.insert(.sample(2), isRunning: true)
        try archive.append(Array(output.prefix(60_000)).span, stream: .standardOutput, to: 2)
        try archive.append("behind", .standardError, to: 2)
        archive.markEnded(2, .sample())
        let responder = PlainResponder(client, keepsAnsi: false)
        client.didOpen(responder)
        Playback(
            of: 2, .untilEnd, for: responder, archive: archive, followers: followers, turns: turns,
            reservation: nil
        ).start()
        try desk.loop.turn(until: client.open.isEmpty, "the answer")
        let line = client.takeLines().first ?? ""
        #expect(line.hasPrefix(#"{"ok":false,"output":"The output was cut"#) && !line.contains("behind"))
    }
}

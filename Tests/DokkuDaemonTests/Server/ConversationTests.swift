// A client's life, event by event: what is read and taken, and when it is over.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct ConversationTests {
    private final class Sink: InputSink {
        var ends: [InputEnd] = []
        func receive(_ bytes: ArraySlice<UInt8>) {}
        func end(_ end: InputEnd) { ends.append(end) }
    }

    private let nothing = Conversation.Owed(isPlainOpen: false, requests: 0, unsent: .empty)
    private let plain = Conversation.Owed(isPlainOpen: true, requests: 0, unsent: .empty)

    /// Where a step changes the conversation, an expectation can hold it all the same.
    private final class Talk {
        var conversation: Conversation

        init(takesOneRequest: Bool = false) {
            conversation = Conversation(lineLimit: 100, openLimit: 2, takesOneRequest: takesOneRequest)
        }

        func feed(_ text: String) { conversation.didReceive(bytes(text).span) }

        func next(_ owed: Conversation.Owed = .init(isPlainOpen: false, requests: 0, unsent: .empty))
            -> String?
        {
            switch conversation.next(owed) {
            case .line(let line): text(line)
            case .skippedLine(let fault, _): "skipped: \(fault)"
            case .inputEnd(let end, _): "\(end)"
            case .input: "input"
            case .nothing: nil
            }
        }

        func expect(_ form: RequestReader.InputForm) -> Bool { conversation.expect(form, for: Sink()) }
        func endInput(peerHasGone: Bool = false) -> Int { conversation.endInput(peerHasGone: peerHasGone) }
        func close() -> (any InputSink)? { conversation.close() }
    }

    @Test func `one plain line is taken at a time`() {
        let talk = Talk()
        talk.feed("a\nb\n")
        #expect(talk.next() == "a")
        #expect(talk.next(plain) == nil)
        #expect(talk.conversation.appetite(plain, 100) == 0)
        #expect(talk.next() == "b")
        #expect(talk.conversation.appetite(nothing, 100) > 0)
    }

    @Test func `descriptors belong to the byte that begins a line, and to no other`() {
        let talk = Talk()
        #expect(talk.conversation.expectsFirstByte)
        talk.feed("a\nb")
        #expect(!talk.conversation.expectsFirstByte)
        #expect(talk.next() == "a" && !talk.conversation.expectsFirstByte)
        talk.feed("\n")
        #expect(!talk.conversation.expectsFirstByte)
        #expect(talk.next() == "b" && talk.next() == nil && talk.conversation.expectsFirstByte)
        talk.feed(String(repeating: "x", count: 101))
        #expect(talk.next() == nil && !talk.conversation.expectsFirstByte)
        talk.feed("\n")
        #expect(talk.next() == "skipped: tooLong" && talk.conversation.expectsFirstByte)
        talk.feed("c\n")
        #expect(talk.next() == "c" && talk.expect(.bytes(2)) && !talk.conversation.expectsFirstByte)
        talk.conversation.stop(unread: 4)
        talk.feed("12")
        #expect(talk.next() == "input" && talk.next() == "complete")
        #expect(talk.next() == nil && talk.conversation.expectsFirstByte)
    }

    @Test func `what cannot be read ends a conversation, with one more line`() {
        let talk = Talk()
        talk.feed("a\nb")
        let none = talk.conversation.breakOff()
        #expect(none == nil && talk.conversation.isBrokenOff)
        #expect(talk.conversation.appetite(nothing, 100) == 0)
        #expect(talk.next() == "a")
        talk.conversation.expectNothing()
        #expect(talk.next() == nil && talk.conversation.ending(nothing, peerHasGone: false) == .linger)
    }

    @Test func `what cannot be read is the end of an input`() {
        let talk = Talk()
        talk.feed("a\n1")
        #expect(talk.next() == "a" && talk.expect(.bytes(2)))
        let sink = talk.conversation.breakOff()
        #expect(sink != nil && talk.next() == nil)
        #expect(talk.conversation.ending(nothing, peerHasGone: false) == .linger)
    }

    @Test func `nothing more is taken from a client with too much open`() {
        let conversation = Talk().conversation
        #expect(conversation.mayTake(.init(isPlainOpen: false, requests: 1, unsent: .empty)))
        #expect(!conversation.mayTake(.init(isPlainOpen: false, requests: 2, unsent: .empty)))
        #expect(!conversation.mayTake(.init(isPlainOpen: false, requests: 0, unsent: .high)))
    }

    @Test func `an input is taken whatever is open`() {
        let talk = Talk()
        talk.feed("a\nxy")
        #expect(talk.next() == "a")
        #expect(talk.expect(.bytes(3)))
        let full = Conversation.Owed(isPlainOpen: false, requests: 2, unsent: .high)
        #expect(talk.next(full) != nil)
        #expect(talk.conversation.appetite(full, 77) == 77)
    }

    // MARK: Its end

    @Test func `a half-close makes the rest a line`() {
        let talk = Talk()
        talk.feed("a\nrest")
        talk.conversation.didEnd(.peer)
        #expect(talk.next() == "a")
        #expect(!talk.conversation.isAtEnd(plain) && talk.conversation.isAtEnd(nothing))
        #expect(talk.endInput(peerHasGone: false) == 0)
        #expect(talk.next() == "rest")
        #expect(talk.next() == nil)
        #expect(talk.conversation.ending(plain, peerHasGone: false) == .notYet)
        #expect(talk.conversation.ending(nothing, peerHasGone: false) == .close)
    }

    @Test func `a client that has gone loses its unfinished line`() {
        let talk = Talk()
        talk.feed("rest")
        talk.conversation.didEnd(.peer)
        #expect(talk.next() == nil)
        #expect(talk.endInput(peerHasGone: true) == 4)
        #expect(talk.next() == nil)
        #expect(talk.conversation.ending(nothing, peerHasGone: true) == .close)
    }

    @Test func `one request is followed by the end`() {
        let talk = Talk(takesOneRequest: true)
        talk.feed("a\nb\n")
        #expect(talk.next() == "a")
        #expect(talk.next() == nil)
        #expect(talk.conversation.allocatedBytes == 0 && talk.conversation.appetite(nothing, 100) == 0)
        #expect(talk.conversation.ending(plain, peerHasGone: false) == .notYet)
        #expect(talk.conversation.ending(nothing, peerHasGone: false) == .linger)
        talk.conversation.linger()
        talk.feed(String(repeating: "x", count: 64 * 1024 - 1))
        #expect(talk.conversation.ending(nothing, peerHasGone: false) == .notYet)
        #expect(talk.conversation.appetite(nothing, 100) > 0)
        talk.feed("x")
        #expect(talk.conversation.ending(nothing, peerHasGone: false) == .close)
    }

    @Test func `a lingering client is closed when the peer ends`() {
        let talk = Talk(takesOneRequest: true)
        talk.feed("a\n")
        #expect(talk.next() == "a")
        talk.conversation.linger()
        talk.conversation.didEnd(.peer)
        #expect(talk.conversation.ending(nothing, peerHasGone: false) == .close)
    }

    @Test func `silence ends a line that has begun`() {
        let talk = Talk(takesOneRequest: true)
        #expect(!talk.conversation.hasBegunLine)
        talk.feed("half")
        #expect(talk.next() == nil && talk.conversation.hasBegunLine)
        talk.conversation.didEnd(.silence)
        #expect(talk.next() == nil && talk.conversation.isAtEnd(nothing))
        #expect(talk.endInput(peerHasGone: false) == 0)
        #expect(talk.next() == "half")
        #expect(talk.conversation.ending(nothing, peerHasGone: false) == .linger)
    }

    // MARK: A stop

    @Test func `a stop takes what was there and nothing else`() {
        let talk = Talk()
        talk.feed("a\n")
        talk.conversation.stop(unread: 6)
        #expect(talk.conversation.appetite(nothing, 100) == 6)
        talk.feed("b\nc")
        #expect(talk.conversation.appetite(nothing, 100) == 3)
        talk.feed("\nd\n")
        #expect(talk.conversation.appetite(nothing, 100) == 0)
        #expect(["a", "b", "c", "d"].allSatisfy { talk.next() == $0 })
        #expect(talk.next() == nil)
    }

    @Test func `a stop drops an unfinished line`() {
        for (takesOneRequest, expected) in [(false, nil), (true, "skipped: unfinished")] {
            let talk = Talk(takesOneRequest: takesOneRequest)
            talk.feed("half")
            talk.conversation.stop(unread: 0)
            #expect(talk.next() == nil && talk.conversation.isAtEnd(nothing))
            _ = talk.endInput(peerHasGone: false)
            #expect(talk.next() == expected)
            #expect(talk.next() == nil)
            #expect(talk.conversation.ending(nothing, peerHasGone: false) == .linger)
        }
    }

    @Test func `a stop brings an input to its end`() {
        for takesOneRequest in [false, true] {
            let talk = Talk(takesOneRequest: takesOneRequest)
            talk.feed("a\nxy")
            #expect(talk.next() == "a")
            #expect(talk.expect(.bytes(10)))
            #expect(talk.next() == "input")
            talk.conversation.stop(unread: 2)
            talk.feed("z\n")
            #expect(talk.next() == "input")
            #expect(talk.conversation.isAtEnd(nothing))
            _ = talk.endInput(peerHasGone: false)
            #expect(talk.next() == "stopped")
            #expect(talk.next() == nil)
            #expect(talk.conversation.ending(nothing, peerHasGone: false) == .linger)
        }
    }

    @Test func `a request that is not judged yet holds up the end`() {
        let talk = Talk()
        talk.feed("a\n")
        #expect(talk.next() == "a")
        talk.conversation.holdBack()
        talk.conversation.didEnd(.peer)
        #expect(!talk.conversation.isAtEnd(nothing))
        #expect(talk.conversation.ending(nothing, peerHasGone: false) == .notYet)
        #expect(talk.expect(.chunks))
        #expect(talk.conversation.isAtEnd(nothing))
    }

    @Test func `a closed client takes nothing`() {
        let talk = Talk()
        talk.feed("a\nxy")
        #expect(talk.next() == "a")
        #expect(talk.expect(.bytes(10)))
        #expect(talk.close() != nil)
        #expect(!talk.expect(.bytes(1)))
        #expect(talk.next() == nil && talk.conversation.appetite(nothing, 100) == 0)
        #expect(talk.conversation.ending(nothing, peerHasGone: true) == .notYet)
    }
}

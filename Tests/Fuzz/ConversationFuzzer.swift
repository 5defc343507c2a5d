// One client's life against a server that answers by rule: what it gives out is what a reference makes of all bytes that
// came, however they were cut, whatever waited for an answer meanwhile, and whoever ended it; and it does end.
//
// A line `b` and a digit announces an input of so many bytes, `c` one in chunks; behind a line that begins with `h` the
// server makes up its mind first, and behind one that begins with `H` it then wants chunks.

@testable import DokkuDaemon
@testable import DokkuProtocol

private enum Piece: Equatable {
    case line([UInt8])
    case skipped(LineFramer.Fault)
    case input([UInt8], InputEnd)
}

private enum Announced {
    case nothing
    case input(RequestReader.InputForm)
    case decision(wantsChunks: Bool)

    init(_ line: ArraySlice<UInt8>) {
        let first = line.first ?? 0
        switch first {
        case UInt8(ascii: "b") where line.count == 2 && (0x30...0x39).contains(line[line.startIndex + 1]):
            self = .input(.bytes(Int(line[line.startIndex + 1]) - 0x30))
        case UInt8(ascii: "c") where line.count == 1: self = .input(.chunks)
        case UInt8(ascii: "h"), UInt8(ascii: "H"): self = .decision(wantsChunks: first == UInt8(ascii: "H"))
        default: self = .nothing
        }
    }
}

/// Looks at the whole at once. `early` is what an input is told that is cut short, given what is missing.
private struct Reference {
    let limit: Int
    let takesOneRequest: Bool
    let rest: RequestReader.Rest
    let early: (Int?) -> InputEnd
    var bytes: ArraySlice<UInt8>
    var pieces: [Piece] = []

    mutating func read() -> [Piece] {
        while readRequest() {}
        return pieces
    }

    /// False at the end.
    private mutating func readRequest() -> Bool {
        let end = bytes.firstIndex(of: 0x0A)
        guard !bytes.isEmpty, end != nil || rest != .isDropped else { return false }
        var line = bytes[..<(end ?? bytes.endIndex)]
        bytes = bytes[(end.map { $0 + 1 } ?? bytes.endIndex)...]
        let isReturned = line.last == 0x0D
        if line.count - (isReturned ? 1 : 0) > limit {
            pieces.append(.skipped(.tooLong))
            return !takesOneRequest && !LineFramer.beginsJSON(line)
        }
        if end == nil, rest == .isRefused {
            pieces.append(.skipped(.unfinished))
            return false
        }
        if isReturned { line.removeLast() }
        pieces.append(.line(Array(line)))
        switch Announced(line) {
        case .nothing, .decision(wantsChunks: false): return !takesOneRequest
        case .input(.bytes(let count)): return readBytes(count)
        case .input(.chunks), .decision(wantsChunks: true): return readChunks()
        }
    }

    private mutating func readBytes(_ count: Int) -> Bool {
        let body = Array(bytes.prefix(count))
        bytes = bytes.dropFirst(count)
        pieces.append(.input(body, body.count == count ? .complete : early(count - body.count)))
        return body.count == count && !takesOneRequest
    }

    private mutating func readChunks() -> Bool {
        var body: [UInt8] = []
        while true {
            guard let end = bytes.prefix(21).firstIndex(of: 0x0A) else {
                pieces.append(.input(body, bytes.count > 20 ? .malformed : early(nil)))
                return false
            }
            var digits = bytes[..<end]
            if digits.last == 0x0D { digits.removeLast() }
            bytes = bytes[(end + 1)...]
            let isNumber = !digits.isEmpty && digits.allSatisfy { (0x30...0x39).contains($0) }
            guard isNumber, let size = Int(String(decoding: digits, as: UTF8.self)) else {
                pieces.append(.input(body, .malformed))
                return false
            }
            if size == 0 {
                pieces.append(.input(body, .complete))
                return !takesOneRequest
            }
            body += bytes.prefix(size)
            if bytes.count < size {
                pieces.append(.input(body, early(nil)))
                return false
            }
            bytes = bytes.dropFirst(size)
        }
    }
}

private final class Sink: InputSink {
    var bytes: [UInt8] = []
    func receive(_ bytes: ArraySlice<UInt8>) { self.bytes += bytes }
    func end(_ end: InputEnd) {}
}

/// The client's side of the daemon, but for its socket.
private struct ServerModel {
    var conversation: Conversation
    var owed = Conversation.Owed(isPlainOpen: false, requests: 0, unsent: .empty)
    var received: [UInt8] = []
    var pieces: [Piece] = []
    private var sink = Sink()
    private(set) var decision: Bool?

    init(_ conversation: Conversation) { self.conversation = conversation }

    mutating func receive(_ bytes: ArraySlice<UInt8>) {
        received += bytes
        conversation.didReceive(bytes.span)
    }

    /// Takes what may be taken. `isLazy`: each line has to be answered before the next one.
    mutating func take(isLazy: Bool) throws {
        while true {
            switch conversation.next(owed) {
            case .nothing: return
            case .line(let line):
                pieces.append(.line(Array(line)))
                try follow(Announced(line))
                if isLazy { owed.isPlainOpen = true }
            case .skippedLine(let fault, _): pieces.append(.skipped(fault))
            case .input(let bytes, let sink):
                try require(!bytes.isEmpty && sink === self.sink, "an input of somebody else's")
                sink.receive(bytes)
            case .inputEnd(let end, let sink):
                try require(sink === self.sink, "the end of somebody else's input")
                pieces.append(.input(self.sink.bytes, end))
            }
        }
    }

    private mutating func follow(_ announced: Announced) throws {
        switch announced {
        case .nothing: break
        case .input(let form): try expect(form)
        case .decision(let wantsChunks):
            conversation.holdBack()
            decision = wantsChunks
        }
    }

    private mutating func expect(_ form: RequestReader.InputForm) throws {
        sink = Sink()
        try require(conversation.expect(form, for: sink), "it is closed")
    }

    /// Answers what is open, and makes up its mind.
    mutating func answer() throws {
        owed.isPlainOpen = false
        guard let wantsChunks = decision else { return }
        decision = nil
        if wantsChunks { try expect(.chunks) } else { conversation.resume() }
    }

    /// Brings bytes as they are wanted; not all, where no more are. `isLazy` as above.
    mutating func feed(_ bytes: ArraySlice<UInt8>, isLazy: Bool) throws {
        var rest = bytes
        while !rest.isEmpty {
            let appetite = conversation.appetite(owed, 4096)
            if appetite > 0 {
                receive(rest.prefix(appetite))
                rest = rest.dropFirst(appetite)
            } else if owed.isNothing, decision == nil {
                return try require(
                    conversation.ending(owed, peerHasGone: false) != .notYet, "it neither reads nor ends")
            } else {
                try answer()
            }
            try take(isLazy: isLazy)
        }
    }

    mutating func takeAll() throws {
        try take(isLazy: false)
        while decision != nil || owed.isPlainOpen {
            try answer()
            try take(isLazy: false)
        }
    }
}

/// How a conversation goes, from the choices of the input.
private struct Course {
    let takesOneRequest: Bool
    let limit: Int
    let isLazy: Bool
    let end: Conversation.End
    let peerHasGone: Bool
    /// Where a stop comes, and what of the rest has been received by then.
    let stop: Range<Int>

    init(_ input: FuzzInput) {
        let choice = input.choices[7]
        takesOneRequest = choice & 1 == 1
        limit = choice & 2 == 0 ? 5 : 1000
        isLazy = choice & 16 != 0
        end = choice & 12 == 12 ? .stop : choice & 12 == 8 ? .silence : .peer
        peerHasGone = choice & 12 == 4
        let content = input.content.indices
        let start =
            end == .stop
            ? content.lowerBound + Int(input.choices[6]) % (content.count + 1) : content.upperBound
        stop = start..<min(content.upperBound, start + Int(input.choices[5]))
    }

    var rest: RequestReader.Rest {
        if peerHasGone { return .isDropped }
        guard end == .stop else { return .isLine }
        return takesOneRequest ? .isRefused : .isDropped
    }
}

func fuzzConversation(_ bytes: [UInt8]) throws {
    let input = FuzzInput(bytes)
    let course = Course(input)
    var server = ServerModel(
        Conversation(lineLimit: course.limit, openLimit: 2, takesOneRequest: course.takesOneRequest))
    for chunk in input.chunks where chunk.startIndex < course.stop.lowerBound {
        try server.feed(chunk.prefix(course.stop.lowerBound - chunk.startIndex), isLazy: course.isLazy)
    }
    if course.end == .stop {
        server.conversation.stop(unread: course.stop.count)
        try server.feed(input.content[course.stop], isLazy: course.isLazy)
    } else {
        server.conversation.didEnd(course.end)
    }
    try server.takeAll()
    if server.conversation.isAtEnd(server.owed) {
        _ = server.conversation.endInput(peerHasGone: course.peerHasGone)
    }
    try server.takeAll()

    var reference = Reference(
        limit: course.limit, takesOneRequest: course.takesOneRequest, rest: course.rest,
        early: { course.end == .stop ? .stopped : .early(missing: $0) }, bytes: server.received[...])
    let expected = reference.read()
    try require(server.pieces == expected, "\(server.pieces) instead of \(expected)")
    try checkEnd(&server.conversation, server.owed, hasPeerEnded: course.end == .peer)
}

/// It is over, at the latest once the peer has sent as much as is discarded.
private func checkEnd(
    _ conversation: inout Conversation, _ owed: Conversation.Owed, hasPeerEnded: Bool
) throws {
    let ending = conversation.ending(owed, peerHasGone: false)
    try require(ending == (hasPeerEnded ? .close : .linger), "it is not over: \(ending)")
    if ending == .linger {
        conversation.linger()
        let noise = [UInt8](repeating: 0x0A, count: 128 * 1024)
        guard case .nothing = conversation.next(owed) else { throw Finding("it takes more") }
        conversation.didReceive(noise.span)
        try require(conversation.ending(owed, peerHasGone: false) == .close, "it lingers for ever")
    }
    try require(conversation.close() == nil, "an input has no end")
    try require(conversation.appetite(owed, 4096) == 0, "it reads on")
}

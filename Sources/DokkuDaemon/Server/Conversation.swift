// One client's life, without its socket: what may be read and taken, and when it is over. The client does what this
// says; nothing here calls the system.
//
//               serving                               lingering                  closed
//   bytes       parts of requests, in their order     discarded, up to a limit   –
//   peer ends   the rest is the last line, or         closed                     –
//               dropped, where the peer has gone
//   stop        what was received by then is taken,   –                          –
//               and nothing that comes later
//   silence     the rest is the last line             closed                     –
//   all taken,  lingering; closed, where the          –                          –
//   answered    peer has ended
//   failure     closed                                closed                     –
//
// Whatever ends what comes, the input of a request is brought to its end first, and then its answer is waited for.
import DokkuProtocol

struct Conversation {
    /// What a read asks for while lines come.
    private static let readSize = 32 * 1024
    private static let lingerLimit = 64 * 1024

    enum Phase: Equatable {
        case serving
        /// Shut down for writing; what still comes is discarded, so that the last reply is not lost to a reset.
        case lingering(discarded: Int)
        case closed
    }

    /// What may still come from the peer.
    enum Supply: Equatable {
        case open
        /// The daemon stops: of what was there by then so many bytes are still to be read, and no others.
        case limited(Int)
        case ended(End)
    }

    /// Who ended what comes.
    enum End: Equatable {
        case peer
        case stop
        /// Nothing came for as long as may be waited.
        case silence
    }

    /// What the client waits for.
    struct Owed {
        var isPlainOpen: Bool
        /// JSON requests without their last line.
        var requests: Int
        /// Replies that the peer has yet to take.
        var unsent: Outbox.Level

        var isNothing: Bool { !isPlainOpen && requests == 0 && unsent == .empty }
    }

    private(set) var phase = Phase.serving
    private var supply = Supply.open
    private var reader: RequestReader
    private let openLimit: Int

    /// `openLimit`: JSON requests that may be open at once.
    init(lineLimit: Int, openLimit: Int, takesOneRequest: Bool) {
        self.openLimit = openLimit
        reader = RequestReader(lineLimit: lineLimit, takesOneRequest: takesOneRequest)
    }

    var bufferedBytes: Int { reader.bufferedBytes }
    var allocatedBytes: Int { reader.allocatedBytes }
    /// Whether a line has begun that is not complete. To be asked when `next` gives nothing.
    var hasBegunLine: Bool { reader.hasBegunLine }

    /// Whether nothing is owed, and nothing has come that is not taken.
    func isIdle(_ owed: Owed) -> Bool {
        phase == .serving && supply == .open && owed.isNothing && !reader.expectsInput && !reader.isUndecided
            && reader.bufferedBytes == 0
    }

    // MARK: What comes

    /// How many bytes to read now; 0 where nothing is wanted.
    func appetite(_ owed: Owed, _ bodySize: Int) -> Int {
        switch phase {
        case .closed: return 0
        case .lingering: return Self.readSize
        case .serving:
            guard mayTake(owed) else { return 0 }
            let size = reader.expectsInput ? bodySize : Self.readSize
            return switch supply {
            case .open: size
            case .limited(let rest): min(rest, size)
            case .ended: 0
            }
        }
    }

    mutating func didReceive(_ bytes: Span<UInt8>) {
        switch phase {
        case .closed: break
        case .lingering(let discarded): phase = .lingering(discarded: discarded + bytes.count)
        case .serving:
            reader.append(bytes)
            if case .limited(let rest) = supply {
                supply = rest > bytes.count ? .limited(rest - bytes.count) : .ended(.stop)
            }
        }
    }

    /// Nothing more comes. What came before is taken all the same.
    mutating func didEnd(_ end: End) {
        if case .ended = supply, phase == .serving { return }
        supply = .ended(end)
    }

    /// The daemon stops: `unread` bytes are there, and what comes later is not taken.
    mutating func stop(unread: Int) {
        guard phase == .serving, supply == .open else { return }
        supply = unread > 0 ? .limited(unread) : .ended(.stop)
    }

    // MARK: What is taken

    /// True where one more request may be taken from what was received, or more of the last one's input. Nothing
    /// holds that back: the request is itself among the open ones, and its sender may read only afterwards.
    func mayTake(_ owed: Owed) -> Bool {
        guard phase == .serving, !reader.isOver, !reader.isUndecided else { return false }
        return reader.expectsInput
            || (!owed.isPlainOpen && owed.requests < openLimit && owed.unsent != .high)
    }

    /// What is to be taken next.
    mutating func next(_ owed: Owed) -> RequestReader.Part {
        guard phase == .serving, reader.isOver || mayTake(owed) else { return .nothing }
        let part = reader.next()
        if case .inputEnd(.early, let sink) = part, supply == .ended(.stop) {
            return .inputEnd(.stopped, of: sink)
        }
        return part
    }

    /// True where all that came was taken, and what becomes of an unfinished line is to be said by `endInput`.
    func isAtEnd(_ owed: Owed) -> Bool {
        guard case .ended = supply else { return false }
        return mayTake(owed) && !reader.hasEnded
    }

    /// Makes bytes behind the last newline a request where the peer has only stopped writing: what somebody sent who
    /// is gone may be half of one. Returns how many bytes are dropped.
    mutating func endInput(peerHasGone: Bool) -> Int {
        if peerHasGone { return reader.end(.isDropped) }
        guard supply == .ended(.stop) else { return reader.end(.isLine) }
        // Where a line needs no newline, its sender waits for a reply.
        return reader.end(reader.takesOneRequest ? .isRefused : .isDropped)
    }

    /// Drops the unfinished line of a client that holds too much; it gets an error at the line's end.
    mutating func dropUnfinishedLine() { reader.dropUnfinishedLine() }

    // MARK: What follows a line

    /// The line taken last is a request whose input follows. False where the conversation is over.
    mutating func expect(_ form: RequestReader.InputForm, for sink: any InputSink) -> Bool {
        if phase == .closed { return false }
        reader.expect(form, for: sink)
        return true
    }

    /// What follows the line taken last cannot be told apart: nothing more is taken.
    mutating func expectNothing() { reader.expectNothing() }

    /// The line taken last is a request that is judged before its input may come.
    mutating func holdBack() { reader.holdBack() }

    /// That request was refused: no input follows it.
    mutating func resume() { reader.resume() }

    // MARK: The end

    enum Ending { case notYet, linger, close }

    func ending(_ owed: Owed, peerHasGone: Bool) -> Ending {
        let hasEnded = supply == .ended(.peer) || peerHasGone
        return switch phase {
        case .closed: .notYet
        case .lingering(let discarded): hasEnded || discarded >= Self.lingerLimit ? .close : .notYet
        case .serving where !reader.isOver || !owed.isNothing: .notYet
        case .serving: hasEnded ? .close : .linger
        }
    }

    mutating func linger() { phase = .lingering(discarded: 0) }

    /// Returns who waits for the rest of an input, which will not come.
    mutating func close() -> (any InputSink)? {
        phase = .closed
        return reader.stop()
    }
}

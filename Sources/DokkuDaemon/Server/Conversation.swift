// One client's life without its socket: what may be read and taken, and when it is over. The client does what this
// says. Nothing here makes a system call.
//
//               serving                               lingering                  closed
//   bytes       parts of requests, in their order     discarded, up to a limit   –
//   peer ends   the rest is the last line; it is      closed                     –
//               dropped if the peer has gone
//   stop        what was received before is taken,    –                          –
//               and nothing later
//   silence     the rest is the last line             closed                     –
//   descriptors what has come is the last line, and   closed                     –
//   go wrong    is refused
//   all taken,  lingering; closed if the peer         –                          –
//   answered    has ended
//   failure     closed                                closed                     –
//
// Whatever ends the bytes, the input of a request is ended first, and then its answer is awaited.
import DokkuProtocol

struct Conversation {
    /// The size of a read while lines come.
    private static let readSize = 32 * 1024
    private static let lingerLimit = 64 * 1024

    enum Phase: Equatable {
        case serving
        /// Shut down for writing. Bytes that still come are discarded, because a reset would lose the last reply.
        case lingering(discarded: Int)
        case closed
    }

    /// What may still come from the peer.
    enum Supply: Equatable {
        case open
        /// The daemon is stopping: this number of bytes is still to be read, and no more.
        case limited(Int)
        case ended(End)
    }

    /// What ended the supply.
    enum End: Equatable {
        case peer
        case stop
        /// Nothing came for as long as the client waits.
        case silence
        /// Descriptors came that can be neither taken nor skipped.
        case descriptors
    }

    /// What the client is still owed.
    struct Owed {
        var isPlainOpen: Bool
        /// JSON requests whose last line is not sent.
        var requests: Int
        /// Replies that the peer has not taken.
        var unsent: Outbox.Level

        var isNothing: Bool { !isPlainOpen && requests == 0 && unsent == .empty }
    }

    private(set) var phase = Phase.serving
    private var supply = Supply.open
    private var reader: RequestReader
    private let openLimit: Int

    /// `openLimit` is the most JSON requests that may be open at once.
    init(lineLimit: Int, openLimit: Int, takesOneRequest: Bool) {
        self.openLimit = openLimit
        reader = RequestReader(lineLimit: lineLimit, takesOneRequest: takesOneRequest)
    }

    var allocatedBytes: Int { reader.allocatedBytes }
    /// Whether an incomplete line has begun. Ask this when `next` gives nothing.
    var hasBegunLine: Bool { reader.hasBegunLine }

    /// Whether nothing is owed and nothing received is left.
    func isIdle(_ owed: Owed) -> Bool {
        phase == .serving && supply == .open && owed.isNothing && !reader.expectsInput && !reader.isUndecided
            && reader.bufferedBytes == 0
    }

    // MARK: What comes

    /// Whether the next byte is the first of a line, and nothing that came before waits.
    var expectsFirstByte: Bool { phase == .serving && reader.isAtLineStart }

    /// What cannot be read has come. The line with it is the last one, and is to be refused. Returns the sink of an
    /// unfinished input, the rest of which will not come.
    mutating func breakOff() -> (any InputSink)? {
        didEnd(.descriptors)
        return reader.expectsInput ? reader.stop() : nil
    }

    var isBrokenOff: Bool { supply == .ended(.descriptors) }

    /// How many bytes to read now; 0 if nothing is wanted.
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

    /// Nothing more comes. What came before is still taken.
    mutating func didEnd(_ end: End) {
        if case .ended = supply, phase == .serving { return }
        supply = .ended(end)
    }

    /// The daemon is stopping: `unread` bytes are in the socket, and nothing later is taken.
    mutating func stop(unread: Int) {
        guard phase == .serving, supply == .open else { return }
        supply = unread > 0 ? .limited(unread) : .ended(.stop)
    }

    // MARK: What is taken

    /// True if one more request may be taken, or more of the last request's input. Input is never held back: its
    /// request is one of the open ones, and its client may read only after it has sent the input.
    func mayTake(_ owed: Owed) -> Bool {
        guard phase == .serving, !reader.isOver, !reader.isUndecided else { return false }
        return reader.expectsInput
            || (!owed.isPlainOpen && owed.requests < openLimit && owed.unsent != .high)
    }

    /// The next part to take.
    mutating func next(_ owed: Owed) -> RequestReader.Part {
        guard phase == .serving, reader.isOver || mayTake(owed) else { return .nothing }
        let part = reader.next()
        if case .inputEnd(.early, let sink) = part, supply == .ended(.stop) {
            return .inputEnd(.stopped, of: sink)
        }
        return part
    }

    /// True if everything that came was taken, and `endInput` must decide about an unfinished line.
    func isAtEnd(_ owed: Owed) -> Bool {
        guard case .ended = supply else { return false }
        return mayTake(owed) && !reader.hasEnded
    }

    /// If the peer has only stopped writing, the bytes after the last newline are a request. If it has gone, they
    /// may be half of one and are dropped. Returns the number of dropped bytes.
    mutating func endInput(peerHasGone: Bool) -> Int {
        if peerHasGone { return reader.end(.isDropped) }
        guard supply == .ended(.stop) else { return reader.end(.isLine) }
        // If a line needs no newline, its client waits for a reply.
        return reader.end(reader.takesOneRequest ? .isRefused : .isDropped)
    }

    /// Drops the unfinished line of a client that holds too much. Its error comes at the line's end.
    mutating func dropUnfinishedLine() { reader.dropUnfinishedLine() }

    // MARK: What follows a line

    /// The last line is a request whose input follows. False if the conversation is over.
    mutating func expect(_ form: RequestReader.InputForm, for sink: any InputSink) -> Bool {
        if phase == .closed { return false }
        reader.expect(form, for: sink)
        return true
    }

    /// Nobody can tell what follows the last line, so nothing more is taken.
    mutating func expectNothing() { reader.expectNothing() }

    /// The last line is a request that is judged before its input may come.
    mutating func holdBack() { reader.holdBack() }

    /// Takes no line until `resume`. False if none is expected: then `resume` must not be called.
    mutating func pause() -> Bool { reader.pause() }

    /// Lines are taken again. After `holdBack`: the request was refused, and no input follows it.
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

    /// Returns the sink of an unfinished input, the rest of which will not come.
    mutating func close() -> (any InputSink)? {
        phase = .closed
        return reader.stop()
    }
}

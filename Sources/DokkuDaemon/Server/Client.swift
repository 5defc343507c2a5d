// One client: requests in, lines out to the dispatcher, replies back at the client's own pace.
//
// What may be taken and when it is over says its `Conversation`. All that a connection waits for is derived in
// `settle`, at the end of each turn in which something happened to it: take the requests that may be taken, send what
// can be sent, close what is finished.
import DokkuProtocol

final class Client: EventHandler, Requester {
    /// Requests taken at once: others have their turn between those of a client that sends thousands.
    private static let turnLimit = 128
    private static let lingerTime = Duration.seconds(1)
    /// On a `one-shot` listener a line without newline is complete when nothing came for so long.
    private static let silence = Duration.milliseconds(100)
    /// So long and so much is waited for of who is turned away, to answer in the form in which it speaks.
    private static let turnAwayTime = Duration.seconds(1)
    /// How long a daemon that stops waits for a client that takes nothing of its replies.
    private static let stallTime = Duration.seconds(5)
    private static let turnAwayLineLimit = 32 * 1024

    let peer: Peer
    let options: ListenerOptions
    /// Why its first request is not served, whatever it is, and it is then let go of; nil for who is served.
    let refusal: Refusal?
    private let context: ClientContext
    private var connection: Connection
    private var conversation: Conversation
    /// Runs while the end of a line, or the first one, is waited for.
    private var silenceTimer: Timer?
    /// What its socket does not take at once is lost, and with it the connection.
    private var waitsForNoReader = false
    /// When its socket last took something.
    private var progressedAt: Instant
    /// When something last happened to it.
    private var settledAt: Instant
    /// Bytes of unfinished lines that the server counts for this client.
    private var countedBytes = 0
    /// Made when they are first needed: most connections are idle.
    private(set) lazy var account = context.allotment.spool.connectionShare
    private(set) lazy var words = Allotment.part(of: context.allotment.words)
    private(set) lazy var submitter = Submitter(places: context.allotment.places)

    private var isTaking = false
    /// The plain line that waits for its answer.
    private var openLine: (any OpenRequest)?
    /// JSON requests that wait for their answers.
    private var openRequests: [any OpenRequest] = []

    /// `closer` closes the connection where files may be passed through it.
    init(
        _ descriptor: consuming Descriptor, peer: Peer, options: ListenerOptions, refusal: Refusal?,
        context: ClientContext, closer: Closer?
    ) {
        self.peer = peer
        self.options = options
        self.refusal = refusal
        self.context = context
        progressedAt = context.loop.now
        settledAt = context.loop.now
        conversation = Conversation(
            lineLimit: refusal == nil ? context.limits.line : Self.turnAwayLineLimit,
            openLimit: context.limits.open, takesOneRequest: refusal != nil || options.contains(.oneShot))
        connection = Connection(descriptor, in: context.loop, closer: closer)
        connection.start(for: self)
        if refusal != nil { awaitSilence(Self.turnAwayTime) }
    }

    var hasGone: Bool { connection.isDeaf }
    var unsentCount: Int { connection.outbox.unsentCount }

    private var owed: Conversation.Owed {
        Conversation.Owed(
            isPlainOpen: openLine != nil, requests: openRequests.count,
            unsent: connection.outbox.level)
    }

    // MARK: Replies

    @discardableResult
    func send(_ write: (inout [UInt8]) -> Void) -> Bool {
        wake()
        return connection.send(account, write)
    }

    func send(_ spool: Spool) {
        wake()
        connection.send(spool, account)
    }

    func send(_ shared: SharedBytes) {
        wake()
        connection.send(shared, account)
    }

    func send(line: [UInt8]) {
        send { reply in line.withUnsafeBufferPointer { reply.append(contentsOf: $0) } }
    }

    func didOpen(_ request: any OpenRequest) {
        if request.isPlain { openLine = request } else { openRequests.append(request) }
    }

    func didAnswer(_ request: any OpenRequest) {
        if openLine === request { openLine = nil } else { openRequests.removeAll { $0 === request } }
        wake()
    }

    /// Has this client settle once more in this turn; while requests are taken it is about to anyway.
    private func wake() { if !isTaking { connection.mark() } }

    // MARK: Events

    func didBecomeReady(_ readiness: Readiness) {
        if readiness.contains(.hungUp) {
            connection.didHangUp()
        } else if readiness.contains(.failed) {
            // Not the peer's doing, but its socket's.
            return close()
        }
        if readiness.contains(.readable) { receive() }
    }

    func settle() -> Interest? {
        settledAt = context.loop.now
        takeRequests()
        let wasHeldBack = !conversation.mayTake(owed)
        let hasSent = flush()
        if waitsForNoReader, unsentCount > 0 {
            // A turn's share may not have been all that the socket takes.
            if hasSent { wake() } else { close() }
        }
        // What waits in the reader for room in the outbox is announced by no further event.
        if wasHeldBack, conversation.mayTake(owed) { wake() }
        switch conversation.ending(owed, peerHasGone: hasGone) {
        case .notYet: break
        case .linger: linger()
        case .close: close()
        }
        // A hang-up is reported whatever the interest: once it is known the connection is read without epoll.
        if connection.isHungUp { return nil }
        var interest: Interest = []
        if wantsInput { interest.insert(.read) }
        if unsentCount > 0 { interest.insert(.write) }
        return interest
    }

    /// True where the socket took something.
    @discardableResult
    private func flush() -> Bool {
        var hasSent = false
        do throws(SystemError) {
            hasSent = try connection.flush()
        } catch {
            close()
        }
        if hasSent { progressedAt = context.loop.now }
        for request in openRequests {
            if hasGone { request.clientDidLeave() } else { request.readerDidAdvance() }
        }
        return hasSent
    }

    // MARK: Requests

    private var wantsInput: Bool { conversation.appetite(owed, ReadBuffer.size) > 0 }

    /// Reads once, where something is wanted. True where something came.
    @discardableResult
    private func receive() -> Bool {
        let limit = min(conversation.appetite(owed, ReadBuffer.size), context.owner.readLimit)
        guard limit > 0 else { return false }
        do throws(SystemError) {
            switch try connection.read(
                into: context.loop.buffer, limit: limit, { conversation.didReceive($0) })
            {
            case .received:
                if refusal == nil { stopAwaitingSilence() }
                return true
            case .end: conversation.didEnd(.peer)
            case .wouldBlock: break
            }
        } catch {
            close()
        }
        return false
    }

    private func takeRequests() {
        isTaking = true
        var isCutShort = takeBuffered()
        // What was sent before a hang-up counts, also where nobody was told of it.
        if connection.isHungUp, wantsInput {
            if receive() { isCutShort = true }
            if takeBuffered() { isCutShort = true }
        }
        isTaking = false
        if isCutShort { wake() }
        if options.contains(.oneShot), silenceTimer == nil, conversation.hasBegunLine {
            awaitSilence(Self.silence)
        }
        let bytes = conversation.allocatedBytes
        if !context.owner.didBuffer(bytes, isRestricted: peer.isRestricted, was: &countedBytes) {
            conversation.dropUnfinishedLine()
        }
    }

    /// True where others are to have their turn before the rest is taken.
    private func takeBuffered() -> Bool {
        for _ in 0..<Self.turnLimit {
            switch conversation.next(owed) {
            case .nothing:
                guard conversation.isAtEnd(owed) else { return false }
                endInput()
            case .line(let line): take(line)
            case .skippedLine(let fault, let isJSON):
                context.requests.refuseLine(
                    from: self, refusal ?? .skippedLine(fault, context.limits.line), isJSON: isJSON)
            case .input(let bytes, let sink): sink.receive(bytes)
            case .inputEnd(let end, let sink): sink.end(end)
            }
        }
        return true
    }

    private func take(_ line: ArraySlice<UInt8>) {
        if let refusal {
            context.requests.turnAway(line, refusal, from: self)
        } else {
            context.requests.take(line, from: self)
        }
    }

    private func endInput() {
        connection.checkHangUp()
        if let refusal, !conversation.hasBegunLine {
            send { PlainReply.append(ok: false, output: refusal.text, to: &$0) }
        }
        let count = conversation.endInput(peerHasGone: hasGone)
        if count > 0, hasGone {
            context.log.note(
                "dropped an unfinished line of \(count) bytes from pid \(peer.pid), who has gone")
        }
    }

    private func awaitSilence(_ time: Duration) {
        silenceTimer = context.loop.timers.schedule(after: time) { [weak self] in self?.didFallSilent() }
    }

    /// What a busy loop has not come to read yet was no silence.
    private func didFallSilent() {
        let hasReceived = receive()
        if !hasReceived || refusal != nil { conversation.didEnd(.silence) }
        wake()
    }

    private func stopAwaitingSilence() {
        silenceTimer?.cancel()
        silenceTimer = nil
    }

    func expectInput(_ form: RequestReader.InputForm, for sink: any InputSink) {
        if !conversation.expect(form, for: sink) { sink.end(.early(missing: nil)) }
        wake()
    }

    func expectNothing() { conversation.expectNothing() }

    func holdBack() { conversation.holdBack() }

    func resume() {
        conversation.resume()
        wake()
    }

    // MARK: The end

    /// Answers what has been received so far, takes nothing more, and closes.
    func stop() {
        if let count = connection.unread() { conversation.stop(unread: count) }
        wake()
    }

    /// Nothing that it waits for is still to come: closes it once its socket has taken nothing for a while.
    func seeOff(since start: Instant) {
        let rest = max(start, progressedAt) + Self.stallTime - .now
        if rest <= .zero { return close() }
        _ = context.loop.timers.schedule(after: rest) { [weak self] in self?.seeOff(since: start) }
    }

    /// Goes on as before, but closes it where it is behind with its replies.
    func hurry() {
        waitsForNoReader = true
        wake()
    }

    /// Since when nothing was open, unsent or half received; nil where something is.
    var idleSince: Instant? { refusal == nil && conversation.isIdle(owed) ? settledAt : nil }

    /// Closes the connection for another's sake, if it is idle: false where something has come meanwhile.
    func giveWay() -> Bool {
        guard idleSince != nil, connection.unread() == 0 else { return false }
        close()
        return true
    }

    private func linger() {
        conversation.linger()
        connection.shutDownWriting()
        _ = context.loop.timers.schedule(after: Self.lingerTime) { [weak self] in self?.close() }
    }

    /// Closes at once, whatever is unsent. Its requests end as those of a client that has left.
    func close() {
        if connection.isClosed { return }
        let number = connection.number
        stopAwaitingSilence()
        let sink = conversation.close()
        _ = context.owner.didBuffer(0, isRestricted: peer.isRestricted, was: &countedBytes)
        connection.close(isRestricted: peer.isRestricted)
        context.owner.didClose(number, isRestricted: peer.isRestricted, wasServed: refusal == nil)
        sink?.end(.early(missing: nil))
        for request in openRequests { request.clientDidLeave() }
    }
}

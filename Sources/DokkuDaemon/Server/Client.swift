// One client: passes its requests to the dispatcher, and sends replies at the client's own pace.
//
// Its `Conversation` says what may be taken and when it is over. `settle` does what is due and derives the
// interest, at the end of each turn in which something happened: it takes requests, sends what it can, and closes
// what is finished.
import DokkuProtocol

final class Client: EventHandler, Requester {
    /// The most requests taken at once, so that others get their turn beside a client that sends thousands.
    private static let turnLimit = 128
    private static let lingerTime = Duration.seconds(1)
    /// On a `one-shot` socket a line without newline is complete after this silence.
    private static let silence = Duration.milliseconds(100)
    /// The time and the bytes for the first line of a client that is turned away. Its form decides the form of the
    /// answer.
    private static let turnAwayTime = Duration.seconds(1)
    /// How long a stopping daemon waits for a client that reads none of its replies.
    private static let stallTime = Duration.seconds(5)
    private static let turnAwayLineLimit = 32 * 1024

    let rules: ListenerRules
    /// The answer to its first request, whatever that is; the connection then ends. Nil if the client is served.
    let refusal: Refusal?
    private let caller: Caller
    private let context: ClientContext
    private var connection: Connection
    private var conversation: Conversation
    /// What has come with the first byte of the line that is taken next.
    private var handOver = HandOver.nothing
    /// Runs while the first line, or the end of a line, is awaited.
    private var silenceTimer: Timer?
    /// If set, replies that the socket does not take at once are lost, and the connection is closed.
    private var waitsForNoReader = false
    /// When the socket last took bytes, or had none to take.
    private var progressedAt: Instant
    /// When something last happened.
    private var settledAt: Instant
    /// Bytes of unfinished lines that the server has counted for this client.
    private var countedBytes = 0
    /// These are made when they are first needed, because most connections are idle.
    private(set) lazy var peer = connection.identify(caller)
    private(set) lazy var account = context.allotment.spool.connectionShare
    private(set) lazy var words = Allotment.part(of: context.allotment.words)
    private lazy var descriptors = Allotment.part(of: context.allotment.descriptors)
    private(set) lazy var submitter = Submitter(places: context.allotment.places)

    private var isTaking = false
    /// The plain line that is not answered yet.
    private var openLine: (any OpenRequest)?
    /// JSON requests that are not answered yet.
    private var openRequests: [any OpenRequest] = []

    init(
        _ descriptor: consuming Descriptor, caller: Caller, rules: ListenerRules, refusal: Refusal?,
        context: ClientContext, passage: Passage = .shut
    ) {
        self.caller = caller
        self.rules = rules
        self.refusal = refusal
        self.context = context
        progressedAt = context.loop.now
        settledAt = context.loop.now
        conversation = Conversation(
            lineLimit: refusal == nil ? context.limits.line : Self.turnAwayLineLimit,
            openLimit: context.limits.open,
            takesOneRequest: refusal != nil || rules.options.contains(.oneShot))
        connection = Connection(descriptor, in: context.loop, passage: passage)
        connection.start(for: self)
        if refusal != nil { awaitSilence(Self.turnAwayTime) }
    }

    var hasGone: Bool { connection.isDeaf }
    var unsentCount: Int { connection.outbox.unsentCount }
    var isOverfull: Bool { connection.outbox.isOverfull }

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

    /// Makes this client settle again in this turn. While it takes requests, it will anyway.
    private func wake() { if !isTaking { connection.mark() } }

    // MARK: Events

    func didBecomeReady(_ readiness: Readiness) {
        if readiness.contains(.hungUp) {
            connection.didHangUp()
        } else if readiness.contains(.failed) {
            // The socket has failed, not the peer.
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
            // The socket may take more than one turn's share.
            if hasSent { wake() } else { close() }
        }
        // No event will report what waits in the reader until the outbox has room.
        if wasHeldBack, conversation.mayTake(owed) { wake() }
        switch conversation.ending(owed, peerHasGone: hasGone) {
        case .notYet: break
        case .linger: linger()
        case .close: close()
        }
        // epoll reports a hang-up whatever the interest is. Once it is known, the connection is read without epoll.
        if connection.isHungUp { return nil }
        var interest: Interest = []
        if wantsInput { interest.insert(.read) }
        if unsentCount > 0 { interest.insert(.write) }
        return interest
    }

    /// True if the socket took bytes.
    @discardableResult
    private func flush() -> Bool {
        var hasSent = false
        do throws(SystemError) {
            hasSent = try connection.flush()
        } catch {
            close()
        }
        if hasSent || unsentCount == 0 { progressedAt = context.loop.now }
        if hasGone { openLine?.clientDidLeave() }
        for request in openRequests {
            if hasGone { request.clientDidLeave() } else { request.readerDidAdvance() }
        }
        return hasSent
    }

    // MARK: Requests

    private var wantsInput: Bool { conversation.appetite(owed, ReadBuffer.size) > 0 }

    /// Reads once, if anything is wanted. True if bytes came.
    @discardableResult
    private func receive() -> Bool {
        let limit = min(conversation.appetite(owed, ReadBuffer.size), context.owner.readLimit)
        guard limit > 0 else { return false }
        let isFirst = conversation.expectsFirstByte
        do throws(SystemError) {
            let delivery = try connection.read(
                into: context.loop.buffer, limit: limit, takingFiles: conversation.phase == .serving
            ) { conversation.didReceive($0) }
            if !delivery.files.isEmpty || !delivery.hasAll { didGet(delivery, atFirstByte: isFirst) }
            switch delivery.outcome {
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

    /// Files came with the bytes that were just read.
    private func didGet(_ delivery: Delivery, atFirstByte isFirst: Bool) {
        guard isFirst, handOver.isNothing, delivery.hasAll, let streams = PassedStreams(delivery.files) else {
            let sink = conversation.breakOff()
            handOver = sink == nil ? .refused(.wrongDescriptors) : .nothing
            sink?.end(.unreadable)
            return
        }
        if let places = Reservation(3, of: descriptors) {
            streams.hold(places)
            handOver = .streams(streams)
        } else {
            handOver = .refused(.noRoomForDescriptors)
        }
    }

    private func takeHandOver() -> HandOver {
        defer { handOver = .nothing }
        return handOver
    }

    private func takeRequests() {
        isTaking = true
        var isCutShort = takeBuffered()
        // Bytes sent before a hang-up count, even if no event reported them.
        if connection.isHungUp, wantsInput {
            if receive() { isCutShort = true }
            if takeBuffered() { isCutShort = true }
        }
        isTaking = false
        if isCutShort { wake() }
        if rules.options.contains(.oneShot), silenceTimer == nil, conversation.hasBegunLine {
            awaitSilence(Self.silence)
        }
        let bytes = conversation.allocatedBytes
        if !context.owner.didBuffer(bytes, isRestricted: caller.peer.isRestricted, was: &countedBytes) {
            conversation.dropUnfinishedLine()
        }
    }

    /// True if others must have their turn before the rest is taken.
    private func takeBuffered() -> Bool {
        for _ in 0..<Self.turnLimit {
            switch conversation.next(owed) {
            case .nothing:
                guard conversation.isAtEnd(owed) else { return false }
                endInput()
            case .line(let line): take(line)
            case .skippedLine(let fault, let isJSON):
                handOver = .nothing
                context.requests.refuseLine(
                    from: self, refusal ?? .skippedLine(fault, context.limits.line), isJSON: isJSON)
            case .input(let bytes, let sink): sink.receive(bytes)
            case .inputEnd(let end, let sink): sink.end(end)
            }
        }
        return true
    }

    private func take(_ line: ArraySlice<UInt8>) {
        let handOver = takeHandOver()
        if let refusal {
            context.requests.turnAway(line, refusal, from: self)
        } else {
            context.requests.take(line, with: handOver, from: self)
        }
        if conversation.isBrokenOff { conversation.expectNothing() }
    }

    private func endInput() {
        connection.checkHangUp()
        if let refusal, !conversation.hasBegunLine {
            send { PlainReply.append(ok: false, output: refusal.text, to: &$0) }
        }
        let count = conversation.endInput(peerHasGone: hasGone)
        if count > 0, hasGone {
            context.log.note(
                "dropped an unfinished line of \(count) bytes: its client, pid \(caller.peer.pid), has gone")
        }
    }

    private func awaitSilence(_ time: Duration) {
        silenceTimer = context.loop.timers.schedule(after: time) { [weak self] in self?.didFallSilent() }
    }

    /// If the loop was too busy to read, bytes may be there: then it was no silence.
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

    func pause() -> Bool { conversation.pause() }

    func resume() {
        conversation.resume()
        wake()
    }

    // MARK: The end

    /// Answers what was received so far, takes nothing more, and closes.
    func stop() {
        if let count = connection.unread() { conversation.stop(unread: count) }
        wake()
    }

    /// Nothing runs any more: closes the connection once its socket has taken nothing for a while. An answer that is
    /// still being read from the archive is no fault of the client's.
    func seeOff(since start: Instant) {
        let isAwaited = unsentCount == 0 && !waitsForNoReader
        let rest = isAwaited ? Self.stallTime : max(start, progressedAt) + Self.stallTime - .now
        if rest <= .zero { return close() }
        _ = context.loop.timers.schedule(after: rest) { [weak self] in self?.seeOff(since: start) }
    }

    /// Goes on, but closes the connection if the client is behind with reading its replies.
    func hurry() {
        waitsForNoReader = true
        wake()
    }

    /// Since when nothing is open, unsent or half received; nil if something is.
    var idleSince: Instant? { refusal == nil && conversation.isIdle(owed) ? settledAt : nil }

    /// Closes the connection to make room for another, if it is idle. False if something has come meanwhile.
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

    /// Closes at once, whatever is unsent. Its requests end like those of a client that has left.
    func close() {
        if connection.isClosed { return }
        let number = connection.number
        stopAwaitingSilence()
        handOver = .nothing
        let sink = conversation.close()
        _ = context.owner.didBuffer(0, isRestricted: caller.peer.isRestricted, was: &countedBytes)
        connection.close(isRestricted: caller.peer.isRestricted)
        context.owner.didClose(number, isRestricted: caller.peer.isRestricted, wasServed: refusal == nil)
        sink?.end(.early(missing: nil))
        openLine?.clientDidLeave()
        for request in openRequests { request.clientDidLeave() }
    }
}

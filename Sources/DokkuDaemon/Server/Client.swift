// One client: requests in, lines out to the dispatcher, replies back at the client's own pace.
//
// All that a connection waits for is derived in `settle`, at the end of each turn in which something happened to
// it: take the requests that may be taken, send what can be sent, close what is finished.

final class Client: EventHandler {
    /// With more than this unsent, no further request is taken from the connection.
    static let highWaterMark = 256 * 1024
    /// What a read asks for; the `one-shot` rule about short reads counts by it.
    private static let readSize = 32 * 1024
    /// Requests taken at once: others have their turn between those of a client that sends thousands.
    private static let turnLimit = 128
    private static let lingerLimit = 64 * 1024
    private static let lingerTime = Duration.seconds(1)

    private enum Phase: Equatable {
        case open
        /// What was sent so far is answered, and nothing more is read.
        case ending
        /// The rest of the answers goes out, and no further request is taken.
        case finishing
        /// Shut down for writing; what still comes is discarded, so that the last reply is not lost to a reset.
        case lingering(discarded: Int)
        case closed
    }

    let peer: Peer
    let options: ListenerOptions
    /// Lets go of us when we close.
    private let server: Server
    private let loop: EventLoop
    let account: SpoolAccount
    private var connection: Connection?
    private var token: Token?
    private var phase = Phase.open
    private var framer: LineFramer
    /// The input of the last request taken, while it comes.
    private var body: BodyReceiver?
    /// Bytes of unfinished lines that the server counts for this client.
    private var countedBytes = 0
    /// Made with the first command.
    private(set) lazy var submitter = Submitter()

    private var isTaking = false
    /// A plain line waits for its answer.
    private var isPlainOpen = false
    /// JSON requests that wait for their answers.
    private var openRequests: [JSONResponder] = []
    /// One connection too many: told so, and closed.
    private(set) var isRejected = false

    init(_ descriptor: consuming Descriptor, peer: Peer, options: ListenerOptions, server: Server) {
        self.peer = peer
        self.options = options
        self.server = server
        loop = server.loop
        account = server.account
        framer = LineFramer(maximumLength: server.limits.line)
        token = loop.add(descriptor, self)
        connection = Connection(descriptor)
    }

    var lineLimit: Int { server.limits.line }
    var inputLimit: Int { server.limits.input }
    /// Nobody reads replies any more.
    var hasGone: Bool { connection?.hasGone ?? true }
    var unsentCount: Int { connection?.outbox.unsentCount ?? 0 }

    // MARK: Replies

    /// Adds reply lines. False where the reader is so far behind that they should not become more.
    @discardableResult
    func send(_ write: (inout [UInt8]) -> Void) -> Bool {
        wake()
        return connection?.send(account, write) ?? true
    }

    /// Adds a part of a reply that was kept in a spool.
    func send(_ spool: Spool) {
        wake()
        connection?.send(spool, account)
    }

    func send(line: [UInt8]) {
        send { reply in line.withUnsafeBufferPointer { reply.append(contentsOf: $0) } }
    }

    func sendPlain(ok: Bool, output: String) {
        send { PlainReply.append(ok: ok, output: output, to: &$0) }
    }

    func plainIsOpen() { isPlainOpen = true }

    func didAnswerPlain() {
        isPlainOpen = false
        wake()
    }

    func didOpen(_ request: JSONResponder) { openRequests.append(request) }

    func didAnswer(_ request: JSONResponder) {
        openRequests.removeAll { $0 === request }
        wake()
    }

    /// Answers the whole connection with a refusal, and closes it.
    func reject(_ refusal: Refusal) {
        isRejected = true
        sendPlain(ok: false, output: refusal.text)
        phase = .finishing
    }

    func position(of job: Job) -> Int { server.executor.position(of: job) }

    /// Ends a job whose client has gone.
    func cancel(_ job: Job) {
        server.executor.interrupt(
            job, Refusal(code: .cancelled, text: "The client has closed its connection"))
    }

    /// Has this client settle once more in this turn; while requests are taken it is about to anyway.
    private func wake() { if let token, !isTaking { loop.mark(token) } }

    // MARK: Events

    func didBecomeReady(_ readiness: Readiness) {
        if readiness.contains(.hungUp) || readiness.contains(.failed) { connection?.didHangUp() }
        if readiness.contains(.readable), wantsInput { receive() }
    }

    func settle() -> Interest? {
        takeRequests()
        let wasHeldBack = !mayTake
        flush()
        // What waits in the framer for room in the outbox is announced by no further event.
        if wasHeldBack, mayTake { wake() }
        closeIfFinished()
        // A hang-up is reported whatever the interest: once it is known the connection is read without epoll.
        if phase == .closed || connection?.isHungUp ?? true { return nil }
        var interest: Interest = []
        if wantsInput { interest.insert(.read) }
        if unsentCount > 0 { interest.insert(.write) }
        return interest
    }

    private func flush() {
        connection?.flush()
        for request in openRequests {
            if hasGone { request.clientDidLeave() } else { request.readerDidAdvance() }
        }
    }

    // MARK: Requests

    private var hasReadEnd: Bool { connection?.hasReadEnd ?? true }

    private var wantsInput: Bool {
        if hasReadEnd { return false }
        return switch phase {
        case .open, .ending: mayTake
        case .lingering: true
        case .finishing, .closed: false
        }
    }

    /// True where one more request may be taken from what was received, or more of the last one's input. Nothing
    /// holds that back: the request is itself among the open ones, and its sender may read only afterwards.
    private var mayTake: Bool {
        guard phase == .open || phase == .ending else { return false }
        if body != nil { return true }
        return !isPlainOpen && openRequests.count < server.limits.open && unsentCount <= Self.highWaterMark
    }

    private func receive() {
        let limit = body == nil ? Self.readSize : ReadBuffer.size
        let count = connection?.read(into: loop.buffer, limit: limit) { take($0) } ?? 0
        if count > 0, count < limit, options.contains(.oneShot) { takeUnterminated() }
    }

    private func take(_ bytes: Span<UInt8>) {
        if case .lingering(let discarded) = phase {
            phase = .lingering(discarded: discarded + bytes.count)
        } else {
            framer.append(bytes)
        }
    }

    private func takeRequests() {
        isTaking = true
        var isCutShort = takeBuffered()
        // What was sent before the end counts, also where nobody was told of it yet.
        if connection?.isHungUp ?? false || phase == .ending, wantsInput {
            receive()
            if takeBuffered() { isCutShort = true }
            if wantsInput, connection?.hasReadAll == false { isCutShort = true }
        }
        if hasReadEnd, body == nil, mayTake, !framer.hasCompleteLine { takeRest() }
        isTaking = false
        if isCutShort { wake() }
        server.didBuffer(framer.bufferedBytes, for: self, was: &countedBytes)
    }

    /// True where others are to have their turn before the rest is taken.
    private func takeBuffered() -> Bool {
        for _ in 0..<Self.turnLimit {
            guard mayTake else { return false }
            if body != nil {
                guard receiveBody() else { return false }
            } else if let event = framer.next() {
                take(event)
            } else {
                return false
            }
        }
        return true
    }

    /// On a `one-shot` listener a client may write its line without an end, and wait: a read that brought less than
    /// was asked for has brought it all.
    private func takeUnterminated() {
        guard phase == .open, body == nil, !framer.hasCompleteLine, framer.bufferedBytes <= Self.readSize,
            let event = framer.finish()
        else { return }
        take(event)
    }

    /// Bytes after the last newline: a request when the peer has only stopped writing, and perhaps half of one
    /// when it has closed.
    private func takeRest() {
        connection?.checkHangUp()
        if !hasGone {
            if let event = framer.finish() { take(event) }
        } else if framer.bufferedBytes > 0 {
            let count = framer.dropRest()
            server.log.note("dropped an unfinished line of \(count) bytes from pid \(peer.pid), who has gone")
        }
    }

    private func take(_ event: LineFramer.Event) {
        if options.contains(.oneShot) { phase = .finishing }
        switch event {
        case .tooLong(let isJSON): server.dispatcher.refuseLongLine(from: self, isJSON: isJSON)
        case .line(let line): server.dispatcher.take(line, from: self)
        }
    }

    /// Drops the unfinished line of a client that holds too much; it gets an error at the line's end. What waits
    /// to be taken as a body is no line.
    func dropUnfinishedLine() { if body == nil { framer.skipCurrentLine() } }

    /// The bytes that follow the last line taken are the input of its request, not lines.
    func expectBody(_ receiver: BodyReceiver) {
        body = receiver
        if phase == .finishing { phase = .open }
    }

    /// Hands received bytes to the request they belong to. False where more must come first.
    private func receiveBody() -> Bool {
        guard let body else { return true }
        let bytes = framer.takeBody(body.missing)
        if !bytes.isEmpty { body.receive(bytes) }
        if body.missing > 0, !hasReadEnd { return false }
        endBody()
        return true
    }

    private func endBody(_ reason: Refusal? = nil) {
        guard let body else { return }
        self.body = nil
        if options.contains(.oneShot) { phase = .finishing }
        body.end(reason)
    }

    // MARK: Closing

    /// Answers what has been sent so far, takes nothing more, and closes.
    func finish() {
        if phase == .open { phase = .ending }
        wake()
    }

    private func closeIfFinished() {
        if phase == .ending, connection?.hasReadAll ?? true { endBody(.shuttingDown) }
        let isAnswered = !isPlainOpen && openRequests.isEmpty && body == nil && unsentCount == 0
        let isRead = hasReadEnd && framer.bufferedBytes == 0
        switch phase {
        case .open:
            if isAnswered, isRead { close() }
        case .ending:
            guard isAnswered, !framer.hasCompleteLine else { return }
            if isRead { close() } else if connection?.hasReadAll ?? true { linger() }
        case .finishing:
            guard isAnswered else { return }
            if hasReadEnd || hasGone { close() } else { linger() }
        case .lingering(let discarded):
            if hasReadEnd || hasGone || discarded >= Self.lingerLimit { close() }
        case .closed:
            break
        }
    }

    private func linger() {
        phase = .lingering(discarded: 0)
        framer = LineFramer(maximumLength: 0)
        connection?.shutDownWriting()
        _ = loop.timers.schedule(after: Self.lingerTime) { [weak self] in self?.close() }
    }

    /// Closes at once, whatever is unsent.
    private func close() {
        if phase == .closed { return }
        phase = .closed
        server.didBuffer(0, for: self, was: &countedBytes)
        if let token, let number = connection?.number {
            loop.remove(token)
            server.didClose(self, number: number)
        }
        token = nil
        connection = nil
    }
}

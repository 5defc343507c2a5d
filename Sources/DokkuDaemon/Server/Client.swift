// One connection: bytes in, lines out to the dispatcher, replies back at the client's own pace.
//
// All that a connection waits for is derived in `settle`, at the end of each turn in which something happened to
// it: take the lines that may be taken, send what can be sent, close what is finished.
import CEpollShim
import Glibc

final class Client: EventHandler {
    /// With more than this unsent, no further request is taken from the connection.
    static let highWaterMark = 256 * 1024
    /// What a read asks for; the `one-shot` rule about short reads counts by it.
    private static let readSize = 32 * 1024
    private static let lingerLimit = 64 * 1024
    private static let lingerTime = Duration.seconds(1)

    private enum Phase {
        case open
        /// The rest of the answers goes out, and nothing more is taken in.
        case finishing
        /// Shut down for writing; what still comes is discarded, so that the last reply is not lost to a reset.
        case lingering(discarded: Int)
        case closed
    }

    let peer: Peer
    let options: ListenerOptions
    private unowned let server: Server
    private var descriptor: Descriptor?
    private var token: Token?
    private var phase = Phase.open
    private var framer: LineFramer
    private var body: BodyReceiver?
    private var outbox = Outbox()
    /// Made with the first command.
    private(set) lazy var submitter = Submitter()

    /// A plain line waits for its answer.
    private var isPlainOpen = false
    /// JSON requests that wait for their answers.
    private var openRequests: [JSONResponder] = []
    private var hasReadEnd = false
    private var isEnding = false
    /// This turn has found nothing more to read.
    private var hasReadAll = false
    /// Nobody reads replies any more.
    private(set) var hasGone = false
    /// The peer has closed altogether: what it sent is all there is.
    private var isHungUp = false

    init(_ descriptor: consuming Descriptor, peer: Peer, options: ListenerOptions, server: Server) {
        self.peer = peer
        self.options = options
        self.server = server
        framer = LineFramer(maximumLength: server.limits.line)
        token = server.loop.add(descriptor, self)
        self.descriptor = consume descriptor
    }

    var account: SpoolAccount { server.account }
    var unsentCount: Int { outbox.unsentCount }
    var lineLimit: Int { server.limits.line }
    var inputLimit: Int { server.limits.input }
    /// One connection too many: told so, and closed.
    private(set) var isRejected = false

    func position(of job: Job) -> Int { server.executor.position(of: job) }

    func cancel(_ job: Job) {
        server.executor.interrupt(
            job, Refusal(code: .cancelled, text: "The client has closed its connection"))
    }

    func reject(_ refusal: Refusal) {
        isRejected = true
        sendPlain(ok: false, output: refusal.text)
        phase = .finishing
    }

    // MARK: Replies

    /// Adds reply lines. False where the reader is so far behind that they should not become more.
    @discardableResult
    func send(_ write: (inout [UInt8]) -> Void) -> Bool {
        guard !hasGone else { return true }
        wake()
        return outbox.append(server.account, write)
    }

    /// Adds a part of a reply that was kept in a spool.
    func send(_ spool: Spool) {
        guard !hasGone else { return }
        outbox.append(spool, server.account)
        wake()
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

    private func wake() { if let token { server.loop.mark(token) } }

    // MARK: Events

    func didBecomeReady(_ readiness: Readiness) {
        if readiness.contains(.hungUp) || readiness.contains(.failed) {
            isHungUp = true
            didLeave()
        }
        if readiness.contains(.readable), wantsInput { receive() }
    }

    private func didLeave() {
        guard !hasGone else { return }
        hasGone = true
        outbox.discard()
        for request in openRequests { request.clientDidLeave() }
    }

    private var wantsInput: Bool {
        if hasReadEnd { return false }
        return switch phase {
        case .open: mayTake
        case .lingering: true
        case .finishing, .closed: false
        }
    }

    /// True where one more request may be taken from what was received.
    private var mayTake: Bool {
        guard case .open = phase else { return false }
        return !isPlainOpen && openRequests.count < server.limits.open
            && outbox.unsentCount <= Self.highWaterMark
    }

    private func receive() {
        guard let number = descriptor?.number else { return }
        do throws(SystemError) {
            let outcome = try server.loop.buffer.read(
                number, limit: body == nil ? Self.readSize : ReadBuffer.size
            ) {
                take($0)
            }
            switch outcome {
            case .received(let count): didReceive(count)
            case .wouldBlock:
                hasReadAll = true
                if isHungUp { hasReadEnd = true }
            case .end: hasReadEnd = true
            }
        } catch {
            // ECONNRESET: the peer closed without reading what it was sent.
            hasReadEnd = true
            didLeave()
        }
    }

    private func take(_ bytes: Span<UInt8>) {
        if case .lingering(let discarded) = phase {
            phase = .lingering(discarded: discarded + bytes.count)
        } else {
            framer.append(bytes)
        }
    }

    private func didReceive(_ count: Int) {
        if case .lingering(let discarded) = phase {
            if discarded >= Self.lingerLimit { close() }
        } else if options.contains(.oneShot), body == nil, count < Self.readSize, !framer.hasCompleteLine,
            framer.bufferedBytes <= Self.readSize, let event = framer.finish()
        {
            take(event)
        }
    }

    // MARK: Settling

    func settle() -> Interest? {
        takeRequests()
        flush()
        closeIfFinished()
        if case .closed = phase { return nil }
        // A hang-up is reported whatever the interest: once it is known the connection is read without epoll.
        if isHungUp { return nil }
        var interest: Interest = []
        if wantsInput { interest.insert(.read) }
        if !outbox.isEmpty { interest.insert(.write) }
        return interest
    }

    private func takeRequests() {
        takeBuffered()
        hasReadAll = false
        // What was sent before the end counts, also where nobody was told of it yet.
        if isHungUp || isEnding, wantsInput {
            receive()
            takeBuffered()
            if wantsInput, !hasReadAll { wake() }
        }
        if hasReadEnd, body == nil, mayTake, framer.hasRest { takeRest() }
        server.didBuffer(framer.bufferedBytes, for: self, was: &accountedBytes)
    }
    private var accountedBytes = 0

    private func takeBuffered() {
        while mayTake {
            if body != nil {
                guard receiveBody() else { return }
            } else if let event = framer.next() {
                take(event)
            } else {
                return
            }
        }
    }

    /// Bytes after the last newline: a request when the peer has only stopped writing, and perhaps half of one
    /// when it has closed.
    private func takeRest() {
        if hasGone || hangsUpNow() {
            let count = framer.dropRest()
            server.log.note("dropped an unfinished line of \(count) bytes from pid \(peer.pid), who has gone")
        } else if let event = framer.finish() {
            take(event)
        }
    }

    private func hangsUpNow() -> Bool {
        guard let number = descriptor?.number else { return true }
        var query = pollfd(fd: number, events: 0, revents: 0)
        return poll(&query, 1, 0) > 0 && query.revents & Int16(POLLHUP) != 0
    }

    private func take(_ event: LineFramer.Event) {
        if options.contains(.oneShot) { phase = .finishing }
        switch event {
        case .tooLong(let isJSON): server.dispatcher.refuseLongLine(from: self, isJSON: isJSON)
        case .line(let line): server.dispatcher.take(line, from: self)
        }
    }

    /// Drops the unfinished line of a client that holds too much; it gets an error at the line's end.
    func dropUnfinishedLine() { framer.skipCurrentLine() }

    private func flush() {
        guard !outbox.isEmpty, !hasGone, let socket = descriptor.take() else { return }
        do throws(SystemError) {
            try outbox.flush(to: socket)
        } catch {
            didLeave()
        }
        descriptor = consume socket
        for request in openRequests { request.readerDidAdvance() }
    }

    // MARK: Bodies

    /// The bytes that follow the last line taken are the input of its request, not lines.
    func expectBody(_ receiver: BodyReceiver) {
        body = receiver
        if case .finishing = phase { phase = .open }
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

    private func endBody() {
        guard let body else { return }
        self.body = nil
        if options.contains(.oneShot) { phase = .finishing }
        body.end()
    }

    // MARK: Closing

    /// Answers what has been sent so far, takes nothing more, and closes.
    func finish() {
        isEnding = true
        wake()
    }

    private func closeIfFinished() {
        let isAnswered = !isPlainOpen && openRequests.isEmpty && body == nil && outbox.isEmpty
        switch phase {
        case .open:
            if isEnding, hasReadAll { endBody() }
            guard isAnswered, !framer.hasCompleteLine else { return }
            if hasReadEnd, !framer.hasRest { return close() }
            if isEnding, hasReadAll { linger() }
        case .finishing:
            guard isAnswered else { return }
            if hasReadEnd || hasGone { close() } else { linger() }
        case .lingering:
            if hasReadEnd || hasGone { close() }
        case .closed:
            break
        }
    }

    private func linger() {
        guard let number = descriptor?.number else { return }
        phase = .lingering(discarded: 0)
        framer = LineFramer(maximumLength: 0)
        shutdown(number, Int32(SHUT_WR))
        _ = server.loop.timers.schedule(after: Self.lingerTime) { [weak self] in self?.close() }
    }

    /// Closes at once, whatever is unsent.
    func close() {
        if case .closed = phase { return }
        phase = .closed
        didLeave()
        server.didBuffer(0, for: self, was: &accountedBytes)
        if let token, let number = descriptor?.number {
            server.loop.remove(token)
            server.didClose(self, number: number)
        }
        token = nil
        descriptor = nil
    }
}

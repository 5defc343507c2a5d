// Answers a JSON request, with one line at the end or with events as they happen.
import DokkuProtocol

final class JSONResponder: Responder {
    let sink: any ReplySink
    private let reply: JSONReply
    private let isStreamed: Bool
    private let isBase64: Bool
    private let endsWithClient: Bool
    private let isDetached: Bool
    private var job: (any JobOutcome)?
    private var outputs: [ReplyChannel]

    /// While the client has this much unread, an endless command's pipe is not read.
    private static let followMark = 1024 * 1024

    init(_ sink: any ReplySink, _ request: JSONRequest) {
        self.sink = sink
        reply = JSONReply(id: request.id)
        isStreamed = request.isStreamed
        isBase64 = request.encoding == .base64
        endsWithClient = request.endsWithClient
        isDetached = request.isDetached
        outputs = Self.channels(request)
    }

    /// For a request that cannot be understood.
    init(_ sink: any ReplySink, fault: JSONRequest.Fault) {
        self.sink = sink
        reply = JSONReply(id: fault.id)
        isStreamed = fault.isStreamed
        isBase64 = false
        endsWithClient = false
        isDetached = false
        outputs = []
    }

    /// One channel for each output, if they must stay apart. Otherwise one channel for both, in the order of
    /// arrival.
    private static func channels(_ request: JSONRequest) -> [ReplyChannel] {
        let count = request.isStreamed || request.encoding == .base64 ? 2 : 1
        return (0..<count).map { _ in
            if request.encoding == .base64 { return ReplyChannel(Base64Encoder()) }
            return ReplyChannel(
                OutputEncoder(stripsAnsi: request.stripsAnsi, trimsTrailingNewlines: !request.isStreamed))
        }
    }

    private func channel(_ stream: OutputStream) -> ReplyChannel {
        stream == .standardError && outputs.count > 1 ? outputs[1] : outputs[0]
    }

    var isPlain: Bool { false }

    // MARK: Answers

    /// Asks the client for the input that it has announced in chunks.
    func askForInput() { sink.send { reply.appendContinue(to: &$0) } }

    func answer(_ answer: SharedAnswer) {
        let data: SharedBytes
        do throws(SystemError) {
            data = isBase64 ? try answer.base64() : try answer.escaped()
        } catch {
            return refuse(.unstored(error))
        }
        if isStreamed, data.count == 0 {
            sink.send { reply.appendAnswerEnd(to: &$0) }
        } else {
            sink.send { reply.appendAnswerHead(isStreamed: isStreamed, to: &$0) }
            sink.send(data)
            sink.send { reply.appendAnswerTail(isStreamed: isStreamed, isBase64: isBase64, to: &$0) }
        }
        sink.didAnswer(self)
    }

    var isLive: Bool { isStreamed }

    func answer(acceptedJob number: UInt64) {
        // `daemon:submit` is answered as the daemon's other commands are.
        guard isDetached else { return answer("\(number)") }
        sink.send { reply.appendAccepted(job: number, to: &$0) }
        sink.didAnswer(self)
    }

    func awaits(_ outcome: any JobOutcome) { job = outcome }

    func refuse(_ refusal: Refusal) {
        job = nil
        sink.send { reply.appendRefusal(refusal, isStreamed: isStreamed, to: &$0) }
        sink.didAnswer(self)
    }

    // MARK: The job

    /// An endless command goes on whenever its reader has read everything, however little room others leave.
    var wantsOutput: Bool {
        let unsent = sink.unsentCount
        return sink.hasGone || unsent == 0
            || unsent < Self.followMark && sink.account.budget.free > 0 && !sink.isOverfull
    }

    func jobWasAccepted(_ job: Job, place: @autoclosure () -> QueuePlace) -> Bool {
        self.job = job
        // Its client left before the request was read from the socket.
        if sink.hasGone { return !endsWithClient(job) }
        if isStreamed, job.command.lane.waitsInQueue {
            let event = QueuedEvent(job.number, place())
            sink.send { reply.appendQueued(event, to: &$0) }
        }
        return true
    }

    /// True if the client asked for it, and for commands that are nothing without their client.
    private func endsWithClient(_ job: any JobOutcome) -> Bool { endsWithClient || job.endsWithClient }

    func jobDidStart(_ job: Job) {
        if isStreamed { sink.send { reply.appendStarted(job: job.number, to: &$0) } }
    }

    func job(_ job: any JobOutcome, didOutput bytes: Span<UInt8>, on stream: OutputStream) {
        guard !sink.hasGone else { return }
        if isStreamed { emit(bytes, of: stream, job) } else { keep(bytes, of: stream, job) }
    }

    private func emit(_ bytes: Span<UInt8>, of stream: OutputStream, _ job: any JobOutcome) {
        let channel = channel(stream)
        let isKept = sink.send { line in
            reply.appendOutput(stream, to: &line) { data in
                channel.encode(bytes, from: stream, into: &data)
                // The base64 of each event stands alone.
                if isBase64 { channel.finish(into: &data) }
            }
        }
        // An endless command waits instead.
        if !isKept, !job.waitsForReader { job.truncate(Spool.Failure.accountExhausted.refusal) }
    }

    private func keep(_ bytes: Span<UInt8>, of stream: OutputStream, _ job: any JobOutcome) {
        do throws(Spool.Failure) {
            try channel(stream).keep(bytes, from: stream, sink.account)
        } catch {
            job.truncate(error.refusal)
        }
    }

    func jobDidEnd(_ job: any JobOutcome) {
        self.job = nil
        if !job.hasRun, let failure = job.failure { return refuse(failure.reason) }
        let kept = isStreamed ? [] : outputs.map { $0.finishKept { job.truncate($0.refusal) } }
        let result = JSONReply.Result(
            ok: job.isSuccess, status: job.status, error: job.failure?.reason.code,
            isOutputCut: job.failure?.isOutputCut ?? false,
            job: isStreamed || job.wasAskedByNumber ? job.number : nil, isEnd: isStreamed,
            queued: job.queuedDuration, ran: job.runDuration)
        if isStreamed { finishStream(result) } else { finishLine(result, kept) }
        sink.didAnswer(self)
    }

    private func finishStream(_ result: JSONReply.Result) {
        sink.send { line in
            for (channel, stream) in zip(outputs, [OutputStream.standardOutput, .standardError]) {
                reply.appendOutput(stream, to: &line) { channel.finish(into: &$0) }
            }
            reply.appendHead(result, to: &line)
            reply.appendTail(result, to: &line)
        }
    }

    private func finishLine(_ result: JSONReply.Result, _ kept: [Spool?]) {
        sink.send { reply.appendHead(result, to: &$0) }
        for (kept, key) in zip(kept, [",\"output\":\"", ",\"stderr\":\""] as [StaticString]) {
            sink.send { $0.append(key) }
            if let kept { sink.send(kept) }
            sink.send { $0.append("\"") }
        }
        sink.send { reply.appendTail(result, to: &$0) }
    }

    // MARK: The client

    var hasLeft: Bool { sink.hasGone }

    func clientDidLeave() {
        guard let job else { return }
        if endsWithClient(job) { job.interrupt(.clientHasLeft) }
        // Its pipe may be full, and a process that waits to write does not end.
        job.reconsiderOutput()
    }

    func readerDidAdvance() {
        if let job, job.waitsForReader, wantsOutput { job.reconsiderOutput() }
    }
}

extension QueuedEvent {
    fileprivate init(_ job: UInt64, _ place: QueuePlace) {
        self.init(job: job, position: place.position)
        switch place.obstacle {
        case .job(let other): waitsFor = other
        case .run(of: let lead): runsWith = lead
        case .turn, .lock, .disk, nil: break
        }
    }
}

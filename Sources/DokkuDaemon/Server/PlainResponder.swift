// Answers a plain line with `{"ok":…,"output":…}`, when the result is complete.
import DokkuProtocol

final class PlainResponder: Responder {
    let sink: any ReplySink
    private let output: ReplyChannel
    /// What it reads from the archive.
    private var awaited: (any JobOutcome)?

    init(_ sink: any ReplySink, keepsAnsi: Bool) {
        self.sink = sink
        output = ReplyChannel(
            OutputEncoder(stripsAnsi: !keepsAnsi, trimsTrailingNewlines: true))
    }

    var isPlain: Bool { true }

    func answer(_ answer: SharedAnswer) {
        let text: SharedBytes
        do throws(SystemError) {
            text = try answer.escaped()
        } catch {
            return refuse(.unstored(error))
        }
        sink.send { PlainReply.appendHead(ok: true, to: &$0) }
        sink.send(text)
        sink.send { PlainReply.appendTail(to: &$0) }
        sink.didAnswer(self)
    }

    var isLive: Bool { false }

    func answer(acceptedJob number: UInt64) { answer("\(number)") }

    func awaits(_ outcome: any JobOutcome) { awaited = outcome }

    func refuse(_ refusal: Refusal) {
        awaited = nil
        sink.send { PlainReply.append(ok: false, output: refusal.text, to: &$0) }
        sink.didAnswer(self)
    }

    var wantsOutput: Bool { true }

    func jobWasAccepted(_ job: Job, place: @autoclosure () -> QueuePlace) -> Bool { true }
    func jobDidStart(_ job: Job) {}
    // A command from a plain line goes on, even if nobody reads its reply.
    func clientDidLeave() { awaited?.interrupt(.clientHasLeft) }
    func readerDidAdvance() {}

    func job(_ job: any JobOutcome, didOutput bytes: Span<UInt8>, on stream: OutputStream) {
        guard !sink.hasGone else { return }
        do throws(Spool.Failure) {
            try output.keep(bytes, from: stream, sink.account)
        } catch {
            job.truncate(error.refusal)
        }
    }

    func jobDidEnd(_ job: any JobOutcome) {
        awaited = nil
        let kept = output.finishKept { job.truncate($0.refusal) }
        var isFirst = kept.map { $0.count == 0 } ?? true
        sink.send { PlainReply.appendHead(ok: job.isSuccess, to: &$0) }
        if let kept { sink.send(kept) }
        sink.send { line in
            for reason in job.failure?.reasons ?? [] {
                if !isFirst { line.append("\\n") }
                isFirst = false
                line.append(escaping: reason.text)
            }
            PlainReply.appendTail(to: &line)
        }
        sink.didAnswer(self)
    }
}

// Answers a plain line: `{"ok":…,"output":…}`, when all is known.

final class PlainResponder: Responder {
    let client: Client
    private let output: ReplyChannel

    init(client: Client) {
        self.client = client
        output = ReplyChannel(
            OutputEncoder(stripsAnsi: !client.options.contains(.keepAnsi), trimsTrailingNewlines: true))
    }

    func answer(_ answer: SharedAnswer) {
        client.send { PlainReply.appendHead(ok: true, to: &$0) }
        client.send(answer.escaped)
        client.send { PlainReply.appendTail(to: &$0) }
        client.didAnswerPlain()
    }

    func refuse(_ refusal: Refusal) {
        client.sendPlain(ok: false, output: refusal.text)
        client.didAnswerPlain()
    }

    var wantsOutput: Bool { true }

    func jobWasAccepted(_ job: Job, position: @autoclosure () -> Int) -> Bool { true }
    func jobDidStart(_ job: Job) {}

    func job(_ job: Job, didOutput bytes: Span<UInt8>, on stream: OutputStream) {
        // Nobody reads the reply of a client that has gone.
        guard !client.hasGone else { return }
        do throws(Spool.Failure) {
            try output.keep(bytes, from: stream, client.account)
        } catch {
            job.truncate(error.refusal)
        }
    }

    func jobDidEnd(_ job: Job) {
        let kept = output.finishKept { job.truncate($0.refusal) }
        var isFirst = kept.map { $0.count == 0 } ?? true
        client.send { PlainReply.appendHead(ok: job.isSuccess, to: &$0) }
        if let kept { client.send(kept) }
        client.send { line in
            for reason in job.failure?.reasons ?? [] {
                if !isFirst { line.append("\\n") }
                isFirst = false
                line.append(escaping: reason.text)
            }
            PlainReply.appendTail(to: &line)
        }
        client.didAnswerPlain()
    }
}

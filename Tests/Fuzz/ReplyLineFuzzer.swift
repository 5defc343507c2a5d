// ReplyLine: nothing crashes it, and what it reads means the same when the daemon's own writers write it again.

@testable import DokkuDaemon
@testable import DokkuProtocol

func fuzzReplyLine(_ bytes: [UInt8]) throws {
    let input = FuzzInput(bytes, choices: 1)
    let encoding = input.choices[0] & 1 == 0 ? JSONRequest.Encoding.utf8 : .base64
    let read: ReplyLine
    do throws(ReplyLine.Failure) {
        read = try ReplyLine(input.content[...]) { _ in encoding }
    } catch {
        if case .notJSON(let position) = error {
            try require(position <= input.content.count, "\(position) bytes were read")
        }
        return
    }
    // The daemon's clock holds no more.
    if case .happening(.job(let report)) = read.content, case .ended(let end) = report.state,
        end.ran >= .seconds(1 << 33)
    {
        return
    }
    if case .number(let number) = read.id { try require(RequestID.numbers.contains(number), "\(number)") }
    guard let line = written(read, encoding) else { return }
    let again: ReplyLine
    do throws(ReplyLine.Failure) {
        again = try ReplyLine(line[...]) { _ in encoding }
    } catch {
        throw Finding("\(error) in \(line)")
    }
    try require(again == read, "\(read) became \(again)")
}

/// The line as the daemon writes it; nil if it never would.
private func written(_ read: ReplyLine, _ encoding: JSONRequest.Encoding) -> [UInt8]? {
    let reply = JSONReply(id: read.id)
    var line: [UInt8] = []
    switch read.content {
    case .inputWanted: reply.appendContinue(to: &line)
    case .queued(let event): reply.appendQueued(event, to: &line)
    case .started(let job): reply.appendStarted(job: job, to: &line)
    case .output(_, []), .unknown: return nil
    case .happening(let event): append(event, reply, to: &line)
    case .output(let stream, let bytes):
        reply.appendOutput(stream, to: &line) { append(bytes, isBase64: encoding == .base64, to: &$0) }
    case .end(let end): return append(end, reply, hasID: read.id != nil, to: &line) ? line : nil
    }
    return line
}

/// As the parts of the daemon do in which these things happen.
private func append(_ event: HappeningEvent, _ reply: JSONReply, to line: inout [UInt8]) {
    switch event {
    case .live: return reply.appendLive(to: &line)
    case .lost(let count): return reply.appendLost(count, to: &line)
    case .stopping: reply.appendEvent(members { $0.add("event", "stopping") }, to: &line)
    case .refreshed(let commands, let readAt):
        reply.appendEvent(
            members { json in
                json.add("event", "refreshed")
                json.add("commands", commands)
                json.add("read_at", readAt)
            }, to: &line)
    case .job(let report): reply.appendEvent(members { append(report, to: &$0) }, to: &line)
    }
}

private func members(_ add: (inout JSONWriter) -> Void) -> [UInt8] {
    var json = JSONWriter()
    add(&json)
    return json.bytes
}

private func append(_ report: JobReport, to json: inout JSONWriter) {
    json.add("event", "job")
    switch report.state {
    case .waiting: json.add("state", "queued")
    case .running: json.add("state", "started")
    case .ended(let end):
        json.add("state", "ended")
        json.add("ended_at", end.date)
        json.add("ok", end.isOK)
        if let error = end.error { json.add("error", error) }
        json.add(end.status)
        json.add("run_ms", end.ran.wholeMilliseconds)
        if let count = end.outputCount { json.add("output_bytes", count) }
    }
    json.add("job", report.job)
    json.add("command", report.command)
    json.addObject("client") { json in
        json.add("pid", report.client.pid)
        json.add("uid", report.client.uid)
        if let name = report.client.name { json.add("name", name) }
    }
    json.add("queued_at", report.queuedAt)
    if let date = report.startedAt { json.add("started_at", date) }
    if report.isDetached { json.add("detached", true) }
    if let lead = report.runsWith { json.add("runs_with", lead) }
    switch report.obstacle {
    case nil: break
    case .job(let job): json.add("waits_for", job)
    case .turn: json.add("waits_for_turn", true)
    case .disk: json.add("waits_for_disk", true)
    case .lock(let holder):
        json.addObject("waits_for_lock") { json in
            json.addObject("holder") { json in
                if let pid = holder.pid { json.add("pid", pid) }
                if let name = holder.name { json.add("name", name) }
            }
        }
    }
}

private func append(_ end: ReplyLine.End, _ reply: JSONReply, hasID: Bool, to line: inout [UInt8]) -> Bool {
    let code = end.error.flatMap(ErrorCode.init)
    guard end.error == nil || code != nil else { return false }
    if let queued = end.queued, let ran = end.ran {
        if case .signalled(let signal) = end.status, !signal.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) {
            return false
        }
        // The daemon's clock holds no more.
        guard max(queued, ran) < .seconds(1 << 33) else { return false }
        let result = JSONReply.Result(
            ok: end.isOK, status: end.status, error: code, isOutputCut: end.isOutputCut, job: end.job,
            isEnd: end.job != nil,
            queued: queued, ran: ran)
        reply.appendHead(result, to: &line)
        line.append(",\"output\":\"")
        append(end.output, isBase64: end.errors != nil, to: &line)
        line.append("\"")
        if let errors = end.errors {
            line.append(",\"stderr\":\"")
            append(errors, isBase64: true, to: &line)
            line.append("\"")
        }
        reply.appendTail(result, to: &line)
        return true
    }
    let isBare =
        end.queued == nil && end.ran == nil && end.status == nil && end.errors == nil && end.job == nil
    guard isBare, !end.isOutputCut else { return false }
    let text = String(decoding: end.output, as: UTF8.self)
    if let code, !end.isOK {
        reply.appendRefusal(Refusal(code: code, text: text), isStreamed: false, to: &line)
        return true
    }
    guard code == nil, !hasID else { return false }
    PlainReply.append(ok: end.isOK, output: text, to: &line)
    return true
}

private func append(_ bytes: [UInt8], isBase64: Bool, to line: inout [UInt8]) {
    if isBase64 {
        var encoder = Base64Encoder()
        encoder.encode(bytes.span, into: &line)
        encoder.finish(into: &line)
    } else {
        line.append(escaping: String(decoding: bytes, as: UTF8.self))
    }
}

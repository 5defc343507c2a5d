// The lines that answer JSON requests: the parts before and after an output, and whole short lines.

/// Builds the lines of one request's answer. Each carries the request's id.
public struct JSONReply {
    /// `"id":7,` or nothing.
    private let identity: [UInt8]

    public init(id: RequestID?) {
        var identity: [UInt8] = []
        identity.append(identity: id)
        self.identity = identity
    }

    private func begin(_ line: inout [UInt8]) {
        line.append("{")
        line.append(contentsOf: identity)
    }

    // MARK: Events

    public func appendContinue(to line: inout [UInt8]) {
        begin(&line)
        line.append("\"event\":\"continue\"}\n")
    }

    public func appendQueued(_ event: QueuedEvent, to line: inout [UInt8]) {
        begin(&line)
        line.append("\"event\":\"queued\",\"job\":")
        line.append(decimal: event.job)
        line.append(",\"position\":")
        line.append(decimal: event.position)
        if let job = event.waitsFor {
            line.append(",\"waits_for\":")
            line.append(decimal: job)
        }
        if let job = event.runsWith {
            line.append(",\"runs_with\":")
            line.append(decimal: job)
        }
        line.append("}\n")
    }

    public func appendStarted(job: UInt64, to line: inout [UInt8]) {
        begin(&line)
        line.append("\"event\":\"started\",\"job\":")
        line.append(decimal: job)
        line.append("}\n")
    }

    /// `data` appends the encoded bytes. If it appends none, there is no event.
    public func appendOutput(_ stream: OutputStream, to line: inout [UInt8], _ data: (inout [UInt8]) -> Void)
    {
        let start = line.count
        begin(&line)
        line.append("\"event\":\"output\",\"stream\":")
        line.append(stream == .standardOutput ? "\"stdout\"" : "\"stderr\"")
        line.append(",\"data\":\"")
        let before = line.count
        data(&line)
        if line.count == before { return line.removeLast(before - start) }
        line.append("\"}\n")
    }

    /// An event of `daemon:events`. `members` is the inside of its object; other answers may share it.
    public func appendEvent(_ members: [UInt8], to line: inout [UInt8]) {
        begin(&line)
        line.append(contentsOf: members)
        line.append("}\n")
    }

    /// Everything before was so already, and everything after has just happened.
    public func appendLive(to line: inout [UInt8]) {
        begin(&line)
        line.append("\"event\":\"live\"}\n")
    }

    /// So many events found no room.
    public func appendLost(_ count: Int, to line: inout [UInt8]) {
        begin(&line)
        line.append("\"event\":\"lost\",\"count\":")
        line.append(decimal: count)
        line.append("}\n")
    }

    // MARK: Last lines

    /// The answer to a request that was not run.
    public func appendRefusal(_ refusal: Refusal, isStreamed: Bool, to line: inout [UInt8]) {
        begin(&line)
        if isStreamed { line.append("\"event\":\"end\",") }
        line.append("\"ok\":false,\"error\":\"")
        line.append(contentsOf: refusal.code.rawValue.utf8)
        line.append("\",\"output\":\"")
        line.append(escaping: refusal.text)
        line.append("\"}\n")
    }

    /// The answer to a request whose job outlives its client.
    public func appendAccepted(job: UInt64, to line: inout [UInt8]) {
        begin(&line)
        line.append("\"ok\":true,\"job\":")
        line.append(decimal: job)
        line.append("}\n")
    }

    /// What precedes the text of a built-in's answer. If streamed, it is the beginning of an event.
    public func appendAnswerHead(isStreamed: Bool, to line: inout [UInt8]) {
        begin(&line)
        line.append(
            isStreamed
                ? "\"event\":\"output\",\"stream\":\"stdout\",\"data\":\""
                : "\"ok\":true,\"exit_status\":0,\"output\":\"")
    }

    /// What follows that text.
    public func appendAnswerTail(isStreamed: Bool, isBase64: Bool, to line: inout [UInt8]) {
        if isStreamed {
            line.append("\"}\n")
            appendAnswerEnd(to: &line)
        } else {
            line.append(isBase64 ? "\",\"stderr\":\"\"" : "\"")
            line.append(",\"queued_ms\":0,\"run_ms\":0}\n")
        }
    }

    /// The last line of a streamed answer; its only line if there is no text.
    public func appendAnswerEnd(to line: inout [UInt8]) {
        begin(&line)
        line.append("\"event\":\"end\",\"ok\":true,\"exit_status\":0,\"queued_ms\":0,\"run_ms\":0}\n")
    }

    /// What the last line of a finished command says besides its output.
    public struct Result {
        public var ok: Bool
        public var status: ExitStatus?
        public var error: ErrorCode?
        /// Output is missing from the answer, whatever `error` says.
        public var isOutputCut: Bool
        /// Nil if the answer does not tell the job's number.
        public var job: UInt64?
        /// The last line of a streamed answer.
        public var isEnd: Bool
        public var queued: Duration
        public var ran: Duration

        public init(
            ok: Bool, status: ExitStatus?, error: ErrorCode?, isOutputCut: Bool, job: UInt64?, isEnd: Bool,
            queued: Duration, ran: Duration
        ) {
            self.ok = ok
            self.status = status
            self.error = error
            self.isOutputCut = isOutputCut
            self.job = job
            self.isEnd = isEnd
            self.queued = queued
            self.ran = ran
        }
    }

    public func appendHead(_ result: Result, to line: inout [UInt8]) {
        begin(&line)
        if result.isEnd { line.append("\"event\":\"end\",") }
        if let job = result.job {
            line.append("\"job\":")
            line.append(decimal: job)
            line.append(",")
        }
        line.append(result.ok ? "\"ok\":true" : "\"ok\":false")
        if let error = result.error {
            line.append(",\"error\":\"")
            line.append(contentsOf: error.rawValue.utf8)
            line.append("\"")
        }
        if result.isOutputCut { line.append(",\"output_truncated\":true") }
        switch result.status {
        case nil: break
        case .exited(let status):
            line.append(",\"exit_status\":")
            line.append(decimal: status)
        case .signalled(let signal):
            line.append(",\"exit_status\":null,\"signal\":\"")
            line.append(contentsOf: signal.utf8)
            line.append("\"")
        }
    }

    public func appendTail(_ result: Result, to line: inout [UInt8]) {
        line.append(",\"queued_ms\":")
        line.append(decimal: result.queued.wholeMilliseconds)
        line.append(",\"run_ms\":")
        line.append(decimal: result.ran.wholeMilliseconds)
        line.append("}\n")
    }
}

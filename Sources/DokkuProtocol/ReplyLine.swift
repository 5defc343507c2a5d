// Reads the lines that the daemon sends. Keys and events that a newer daemon may add are no errors.

/// One line of an answer. `LineFramer` cuts lines from what comes out of the socket.
public struct ReplyLine: Equatable, Sendable {
    public enum Content: Equatable, Sendable {
        /// The daemon asks for the input that was announced in chunks.
        case inputWanted
        case queued(QueuedEvent)
        case started(job: UInt64)
        case output(OutputStream, [UInt8])
        /// The last line of an answer, which may be its only one.
        case end(End)
        /// An event of `daemon:events`.
        case happening(HappeningEvent)
        /// An event that this version does not know.
        case unknown(event: String)
    }

    /// What the last line says. A plain reply has `isOK` and `output` alone.
    public struct End: Equatable, Sendable {
        public var isOK: Bool
        /// Nil in a plain reply, and if the command did not run.
        public var status: ExitStatus?
        /// A word of `ErrorCode`, or of a newer daemon.
        public var error: String?
        public var isOutputCut = false
        /// Empty if all output was in events.
        public var output: [UInt8] = []
        /// The output for errors, if it comes apart from the other.
        public var errors: [UInt8]?
        /// The job's number, if the answer was streamed and there was a job.
        public var job: UInt64?
        public var queued: Duration?
        public var ran: Duration?
    }

    public enum Failure: Error, Equatable {
        /// The line is no JSON. So many bytes were read before the error.
        case notJSON(position: Int)
        case notObject
        /// This member is missing, or is not what the protocol says.
        case member(String)
    }

    public var id: RequestID?
    public var content: Content
}

extension ReplyLine {
    /// An output event does not show how its data is encoded. So `encoding` says what the request with that id asked
    /// for. A last line shows it by itself.
    public init(
        _ line: ArraySlice<UInt8>, encoding: (RequestID?) -> JSONRequest.Encoding = { _ in .utf8 }
    ) throws(Failure) {
        if encoding(nil) == .base64, let event = OutputEventLine.read(line) {
            self.init(id: nil, content: .output(event.stream, event.data))
            return
        }
        let document: JSONDocument
        do {
            document = try JSONDocument(line.span)
        } catch {
            throw .notJSON(position: error.position)
        }
        self = try document.withValue { value throws(Failure) in
            guard value.isObject else { throw .notObject }
            do throws(ReplyMembers.Fault) {
                return try ReplyLine(ReplyMembers(value: value), encoding)
            } catch {
                throw .member(error.key)
            }
        }
    }

    private init(_ members: ReplyMembers, _ encoding: (RequestID?) -> JSONRequest.Encoding)
        throws(ReplyMembers.Fault)
    {
        let id = try members.optional("id", RequestID.init)
        self.id = id
        guard let event = try members.optional("event", \.text) else {
            content = .end(try End(members))
            return
        }
        content =
            switch event {
            case "continue": .inputWanted
            case "queued":
                .queued(
                    QueuedEvent(
                        job: try members.required("job", \.count),
                        position: try members.required("position", \.place),
                        waitsFor: try members.optional("waits_for", \.count),
                        runsWith: try members.optional("runs_with", \.count)))
            case "started": .started(job: try members.required("job", \.count))
            case "output":
                .output(
                    try members.required("stream", \.stream),
                    try members.required("data", encoding(id) == .base64 ? \.base64 : \.bytes))
            case "end": .end(try End(members))
            default:
                try HappeningEvent(event, members).map { .happening($0) } ?? .unknown(event: event)
            }
    }
}

extension ReplyLine.End {
    fileprivate init(_ members: ReplyMembers) throws(ReplyMembers.Fault) {
        isOK = try members.required("ok", \.bool)
        status = try members.status()
        error = try members.optional("error", \.text)
        isOutputCut = try members.optional("output_truncated", \.bool) ?? false
        // Only base64 has both outputs apart. A request that was refused has a text, whatever encoding it asked for.
        errors = try members.optional("stderr", \.base64)
        output = try members.optional("output", errors == nil ? \.bytes : \.base64) ?? []
        job = try members.optional("job", \.count)
        queued = try members.optional("queued_ms", \.milliseconds)
        ran = try members.optional("run_ms", \.milliseconds)
    }
}

extension JSONValue {
    fileprivate var stream: OutputStream? {
        switch text {
        case "stdout": .standardOutput
        case "stderr": .standardError
        default: nil
        }
    }
}

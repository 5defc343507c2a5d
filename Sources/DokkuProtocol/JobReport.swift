// What events and listings tell of a job. `daemon:events`, `daemon:queue` and `daemon:jobs` describe it alike.

public struct JobReport: Equatable, Sendable {
    public enum State: Equatable, Sendable {
        /// `waiting`, as an event `queued`.
        case waiting
        /// `running`, as an event `started`.
        case running
        case ended(Ending)
    }

    /// Who has sent it.
    public struct Client: Equatable, Sendable {
        public var pid: Int32
        public var uid: UInt32
        /// The name of its socket, if that has one.
        public var name: String?

        public init(pid: Int32, uid: UInt32, name: String? = nil) {
            self.pid = pid
            self.uid = uid
            self.name = name
        }
    }

    public struct Ending: Equatable, Sendable {
        /// In seconds since 1970, as all dates here.
        public var date: Int64
        public var isOK: Bool
        /// Nil if the command did not run.
        public var status: ExitStatus?
        /// A word of `ErrorCode`, or of a newer daemon.
        public var error: String?
        public var ran: Duration
        /// How much output is kept; nil in an event.
        public var outputCount: UInt64?

        public init(
            date: Int64, isOK: Bool, status: ExitStatus? = nil, error: String? = nil, ran: Duration = .zero,
            outputCount: UInt64? = nil
        ) {
            self.date = date
            self.isOK = isOK
            self.status = status
            self.error = error
            self.ran = ran
            self.outputCount = outputCount
        }
    }

    /// What a job waits for, if a listing tells it. Events do not.
    public enum Obstacle: Equatable, Sendable {
        case job(UInt64)
        case turn
        case disk
        /// `holder` is empty if it is not known who holds the lock.
        case lock(Holder)
    }

    /// The process that holds the lock, as far as it is known.
    public struct Holder: Equatable, Sendable {
        public var pid: Int32?
        public var name: String?

        public init(pid: Int32? = nil, name: String? = nil) {
            self.pid = pid
            self.name = name
        }
    }

    public var state: State
    public var job: UInt64
    /// The command line. What may be secret is hidden, but it may hold any character.
    public var command: String
    public var client: Client
    public var queuedAt: Int64
    public var startedAt: Int64?
    public var isDetached = false
    /// The job whose run it shares, or will share.
    public var runsWith: UInt64?
    public var obstacle: Obstacle?

    public init(
        state: State, job: UInt64, command: String, client: Client, queuedAt: Int64, startedAt: Int64? = nil,
        runsWith: UInt64? = nil, obstacle: Obstacle? = nil
    ) {
        self.state = state
        self.job = job
        self.command = command
        self.client = client
        self.queuedAt = queuedAt
        self.startedAt = startedAt
        self.runsWith = runsWith
        self.obstacle = obstacle
    }
}

extension JobReport {
    /// The jobs of a listing, in its order; nil if the text is none. Jobs in states that this version does not know are
    /// left out.
    public static func all(in text: [UInt8]) -> [JobReport]? {
        guard let document = try? JSONDocument(text.span) else { return nil }
        return document.withValue { value in
            guard let count = value.elementCount else { return nil }
            var reports: [JobReport] = []
            for index in 0..<count {
                guard let element = value[index], element.isObject else { return nil }
                do throws(ReplyMembers.Fault) {
                    if let report = try JobReport(ReplyMembers(value: element)) { reports.append(report) }
                } catch {
                    return nil
                }
            }
            return reports
        }
    }

    /// Nil if its state is unknown.
    init?(_ members: ReplyMembers) throws(ReplyMembers.Fault) {
        switch try members.required("state", \.text) {
        case "queued", "waiting": state = .waiting
        case "started", "running": state = .running
        case "ended": state = .ended(try Ending(members))
        default: return nil
        }
        job = try members.required("job", \.count)
        command = try members.required("command", \.text)
        client = try Client(members.required("client") { $0.isObject ? ReplyMembers(value: $0) : nil })
        queuedAt = try members.required("queued_at", \.date)
        startedAt = try members.optional("started_at", \.date)
        isDetached = try members.flag("detached")
        runsWith = try members.optional("runs_with", \.count)
        obstacle = try Obstacle(members)
    }
}

extension JobReport.Client {
    fileprivate init(_ members: ReplyMembers) throws(ReplyMembers.Fault) {
        pid = try members.required("pid", \.int32)
        uid = try members.required("uid", \.uint32)
        name = try members.optional("name", \.text)
    }
}

extension JobReport.Ending {
    fileprivate init(_ members: ReplyMembers) throws(ReplyMembers.Fault) {
        date = try members.required("ended_at", \.date)
        isOK = try members.required("ok", \.bool)
        status = try members.status()
        error = try members.optional("error", \.text)
        ran = try members.optional("run_ms", \.milliseconds) ?? .zero
        outputCount = try members.optional("output_bytes", \.count)
    }
}

extension JobReport.Obstacle {
    fileprivate init?(_ members: ReplyMembers) throws(ReplyMembers.Fault) {
        if let job = try members.optional("waits_for", \.count) {
            self = .job(job)
        } else if try members.flag("waits_for_turn") {
            self = .turn
        } else if try members.flag("waits_for_disk") {
            self = .disk
        } else if let lock = try members.members("waits_for_lock") {
            self = .lock(try JobReport.Holder(lock))
        } else {
            return nil
        }
    }
}

extension JobReport.Holder {
    /// `members` are those of a lock that another process holds.
    init(_ members: ReplyMembers) throws(ReplyMembers.Fault) {
        let holder = try members.members("holder")
        pid = try holder?.optional("pid", \.int32)
        name = try holder?.optional("name", \.text)
    }
}

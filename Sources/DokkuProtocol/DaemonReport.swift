// What `daemon:status` and `daemon:version` tell of the daemon.

/// The output of `daemon:status --format json`.
public struct DaemonReport: Equatable, Sendable {
    /// Places for commands.
    public struct Places: Equatable, Sendable {
        public var busy: Int
        public var limit: Int
    }

    public struct Catalogue: Equatable, Sendable {
        public var commands: Int
        public var readAt: Int64
    }

    public struct Lock: Equatable, Sendable {
        public var path: String
        public var since: Int64
        public var holder: JobReport.Holder
    }

    public var version: String
    public var startedAt: Int64
    public var connections: Int
    public var commandsRun: Int
    public var commandsFailed: Int
    public var running: Int
    public var waiting: Int
    public var readers: Places
    public var workers: Places
    /// Nil until dokku's list of commands has been read.
    public var catalogue: Catalogue?
    /// The lock that another process holds while the next command waits for it.
    public var lock: Lock?
}

/// The output of `daemon:version --format json`.
public struct VersionReport: Equatable, Sendable {
    public var version: String
    /// Words of `Feature`, or of a newer daemon.
    public var features: [String]
}

extension DaemonReport {
    /// Nil if the text is no such report.
    public init?(_ text: [UInt8]) {
        guard let document = try? JSONDocument(text.span) else { return nil }
        let report: DaemonReport? = document.withValue { try? DaemonReport(ReplyMembers(value: $0)) }
        guard let report else { return nil }
        self = report
    }

    private init(_ members: ReplyMembers) throws(ReplyMembers.Fault) {
        version = try members.required("version", \.text)
        startedAt = try members.required("started_at", \.date)
        connections = try members.required("connections", \.int)
        commandsRun = try members.required("commands_run", \.int)
        commandsFailed = try members.required("commands_failed", \.int)
        running = try members.required("running", \.int)
        waiting = try members.required("waiting", \.int)
        readers = try Places(members, "readers")
        workers = try Places(members, "workers")
        catalogue = try members.members("catalogue").map(Catalogue.init)
        lock = try members.members("waits_for_lock").map(Lock.init)
    }
}

extension DaemonReport.Places {
    fileprivate init(_ members: ReplyMembers, _ key: StaticString) throws(ReplyMembers.Fault) {
        guard let places = try members.members(key) else { throw ReplyMembers.Fault(key: "\(key)") }
        busy = try places.required("busy", \.int)
        limit = try places.required("limit", \.int)
    }
}

extension DaemonReport.Catalogue {
    fileprivate init(_ members: ReplyMembers) throws(ReplyMembers.Fault) {
        commands = try members.required("commands", \.int)
        readAt = try members.required("read_at", \.date)
    }
}

extension DaemonReport.Lock {
    fileprivate init(_ members: ReplyMembers) throws(ReplyMembers.Fault) {
        path = try members.required("path", \.text)
        since = try members.required("since_at", \.date)
        holder = try JobReport.Holder(members)
    }
}

extension VersionReport {
    /// Nil if the text is no such report.
    public init?(_ text: [UInt8]) {
        guard let document = try? JSONDocument(text.span) else { return nil }
        let report: VersionReport? = document.withValue { value in
            let members = ReplyMembers(value: value)
            guard let version = try? members.required("version", \.text), let list = value["features"],
                let count = list.elementCount
            else { return nil }
            return VersionReport(
                version: version, features: (0..<count).compactMap { list[$0]?.text })
        }
        guard let report else { return nil }
        self = report
    }
}

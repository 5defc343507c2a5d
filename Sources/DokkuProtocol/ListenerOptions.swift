/// The rules of one listening socket, as `FileDescriptorName=` or `DOKKU_DAEMON_LISTENER` names them.
public struct ListenerOptions: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    /// Only commands that change nothing and show no secret.
    @inlinable public static var readOnly: ListenerOptions { ListenerOptions(rawValue: 1) }
    /// One request per connection, which need not end in a newline.
    @inlinable public static var oneShot: ListenerOptions { ListenerOptions(rawValue: 2) }
    /// Plain lines are split at blanks; quotes are ordinary bytes.
    @inlinable public static var rawWords: ListenerOptions { ListenerOptions(rawValue: 4) }
    /// Escape sequences stay in plain replies.
    @inlinable public static var keepAnsi: ListenerOptions { ListenerOptions(rawValue: 8) }

    /// True if the socket's clients are not trusted with everything. All restricted sockets together get at most a
    /// share of the daemon's resources, so that they cannot keep other sockets from being served.
    @inlinable public var isRestricted: Bool { contains(.readOnly) }

    /// The part of a limit that all restricted sockets together may use: three quarters, rounded up.
    public static func restrictedShare(of limit: Int) -> Int { limit - limit / 4 }

    /// A name that is not a rule, and the known rules in the same list.
    public struct Unknown: Error, Equatable {
        public var option: String
        public var known: ListenerOptions
    }

    private static let names: [(name: String, option: ListenerOptions)] = [
        ("read-only", .readOnly), ("one-shot", .oneShot), ("raw-words", .rawWords), ("keep-ansi", .keepAnsi),
    ]

    /// What a list of rules may hold, for messages.
    public static var wanted: String {
        "one or more of \(names.map(\.name).joined(separator: ", ")), separated by commas"
    }

    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Reads a comma-separated list. systemd's own defaults (`unknown`, the unit's name) mean no rules.
    public init(parsing name: String) throws(Unknown) {
        self = []
        if name.isEmpty || name == "unknown" || name.hasSuffix(".socket") { return }
        var unknown: Substring?
        for part in name.split(separator: ",", omittingEmptySubsequences: false) {
            if let known = Self.names.first(where: { $0.name == part }) {
                insert(known.option)
            } else {
                unknown = unknown ?? part
            }
        }
        if let unknown { throw Unknown(option: String(unknown), known: self) }
    }
}

extension ListenerOptions: CustomStringConvertible {
    public var description: String {
        Self.names.filter { contains($0.option) }.map(\.name).joined(separator: ",")
    }
}

/// The rules of one listening socket, as its `FileDescriptorName=` or `DOKKU_DAEMON_LISTENER` names them.
public struct ListenerOptions: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    /// Only what changes nothing and shows no secret.
    @inlinable public static var readOnly: ListenerOptions { ListenerOptions(rawValue: 1) }
    /// One request a connection, which need not end in a newline.
    @inlinable public static var oneShot: ListenerOptions { ListenerOptions(rawValue: 2) }
    /// Plain lines are split at blanks; quotes are ordinary bytes.
    @inlinable public static var rawWords: ListenerOptions { ListenerOptions(rawValue: 4) }
    /// Escape sequences stay in plain replies.
    @inlinable public static var keepAnsi: ListenerOptions { ListenerOptions(rawValue: 8) }

    /// True where not everybody is trusted with everything. All such sockets together hold at most their share of
    /// what the daemon has for all, so that those without rules are served whatever comes through these.
    @inlinable public var isRestricted: Bool { contains(.readOnly) }

    /// How much of a limit all restricted sockets together may use: three quarters, rounded up.
    public static func restrictedShare(of limit: Int) -> Int { limit - limit / 4 }

    /// A name that is no rule's, and the rules that were named beside it.
    public struct Unknown: Error, Equatable {
        public var option: String
        public var known: ListenerOptions
    }

    private static let names: [(name: String, option: ListenerOptions)] = [
        ("read-only", .readOnly), ("one-shot", .oneShot), ("raw-words", .rawWords), ("keep-ansi", .keepAnsi),
    ]

    /// For messages: what a list of rules may hold.
    public static var wanted: String {
        "one or more of \(names.map(\.name).joined(separator: ", ")), separated by commas"
    }

    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Reads a comma-separated list. systemd's own defaults (`unknown`, the unit's name) mean no options.
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

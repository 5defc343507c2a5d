/// All rules of one listening socket, as `FileDescriptorName=` or `DOKKU_DAEMON_LISTENER` names them:
/// `name=ci,allow=blog,one-shot`.
public struct ListenerRules: Sendable, Hashable {
    /// The rules that are flags.
    public var options: ListenerOptions
    /// The name that commands get, as if they came over ssh with a key of that name (`name=`); nil if they come as the
    /// host's own.
    public var user: String?
    /// The list of commands that may run (`allow=`): the name of its file. Nil if any may.
    public var list: String?

    public init(_ options: ListenerOptions = [], user: String? = nil, list: String? = nil) {
        self.options = options
        self.user = user
        self.list = list
    }

    /// True if the socket's clients are not trusted with everything. All restricted sockets together get at most a
    /// share of the daemon's resources, so that they cannot keep other sockets from being served.
    @inlinable public var isRestricted: Bool { options.contains(.readOnly) || user != nil || list != nil }

    /// Whose jobs these are that come through the socket.
    public var owner: Owner {
        if let user { return .user(user) }
        return list.map(Owner.list) ?? .host
    }

    /// Whose a job is. Who owns some jobs sees and touches no others; the host sees all.
    public enum Owner: Hashable, Sendable {
        case host
        /// All sockets with the same `name=`.
        case user(String)
        /// All sockets without a name that have the same `allow=`.
        case list(String)

        public func sees(_ other: Owner) -> Bool { self == .host || self == other }
    }

    /// What is wrong with a list of rules, and the rules in the same list that are right.
    public struct Fault: Error, Equatable {
        public var text: String
        public var known: ListenerRules
    }

    /// Reads a comma-separated list. systemd's own defaults (`unknown`, the unit's name) mean no rules.
    public init(parsing text: String) throws(Fault) {
        self.init()
        if text.isEmpty || text == "unknown" || Self.isUnitName(text) { return }
        var problems: [String] = []
        for rule in text.split(separator: ",", omittingEmptySubsequences: false) {
            if let problem = add(rule) { problems.append(problem) }
        }
        if let problem = problems.first { throw Fault(text: problem, known: self) }
    }

    /// What is wrong with a rule; nil if it was added.
    private mutating func add(_ rule: Substring) -> String? {
        if let option = ListenerOptions(named: rule) {
            options.insert(option)
            return nil
        }
        let parts = rule.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let place = Self.places[String(parts[0])] else {
            return "\"\(rule)\" is not a rule: the rules are \(Self.names)"
        }
        let value = String(parts[1])
        guard Self.isName(value) else {
            return
                "\"\(rule)\" is not a rule: after \(parts[0])= comes a name of letters, digits, -, _, ., @ and +, which begins with a letter or a digit"
        }
        guard self[keyPath: place] == nil else { return "\(parts[0])= stands twice" }
        self[keyPath: place] = value
        return nil
    }

    private static var places: [String: WritableKeyPath<ListenerRules, String?>] {
        ["name": \.user, "allow": \.list]
    }

    /// A unit's name has neither `=` nor `,`, so it is no list of rules whose last name ends like one.
    private static func isUnitName(_ text: String) -> Bool {
        text.hasSuffix(".socket") && !text.contains { $0 == "=" || $0 == "," }
    }

    /// All rules, for messages.
    public static var names: String {
        "\(ListenerOptions.names.map(\.name).joined(separator: ", ")), name=NAME and allow=FILE"
    }

    /// It is also the name of a file, and a word of an environment.
    private static func isName(_ text: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        guard let first = text.utf8.first, isAlphanumeric(first), text.utf8.count <= 64 else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || "-_.@+".utf8.contains($0) }
    }
}

extension ListenerRules: CustomStringConvertible {
    /// The same list again.
    public var description: String {
        [options.isEmpty ? nil : "\(options)", user.map { "name=\($0)" }, list.map { "allow=\($0)" }]
            .compactMap(\.self).joined(separator: ",")
    }
}

/// The rules of a listening socket that are flags.
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
    /// Requests may hand over the client's standard input, output and error.
    @inlinable public static var descriptors: ListenerOptions { ListenerOptions(rawValue: 16) }

    /// The part of a limit that all restricted sockets together may use: three quarters, rounded up.
    public static func restrictedShare(of limit: Int) -> Int { limit - limit / 4 }

    static let names: [(name: String, option: ListenerOptions)] = [
        ("read-only", .readOnly), ("one-shot", .oneShot), ("raw-words", .rawWords), ("keep-ansi", .keepAnsi),
        ("descriptors", .descriptors),
    ]

    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Nil if no flag has this name.
    init?(named name: Substring) {
        guard let known = Self.names.first(where: { $0.name == name }) else { return nil }
        self = known.option
    }
}

extension ListenerOptions: CustomStringConvertible {
    public var description: String {
        Self.names.filter { contains($0.option) }.map(\.name).joined(separator: ",")
    }
}

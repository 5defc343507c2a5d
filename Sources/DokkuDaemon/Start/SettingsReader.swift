// Reads single settings by their names, and keeps what was wrong with them.

/// An empty setting counts as not set, as in the shell's `${X:=default}`. For a wrong one the default is given, and
/// `faults` has a line.
struct SettingsReader {
    private let environment: [String: String]
    private var names: Set<String> = []
    /// In the order of reading.
    private(set) var faults: [String] = []

    init(_ environment: [String: String]) { self.environment = environment }

    /// What begins as the daemon's settings do, but was not asked for.
    var unknownNames: [String] {
        environment.keys.filter { $0.hasPrefix("DOKKU_DAEMON_") && !names.contains($0) }.sorted()
    }

    /// The text of a setting, nil where it is not set.
    mutating func value(_ name: String) -> String? {
        names.insert(name)
        return environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What `parse` makes of a setting; nil where it is not set, or where `parse` returns nil for it.
    mutating func read<Value>(_ name: String, _ wanted: String, _ parse: (String) -> Value?) -> Value? {
        guard let text = value(name) else { return nil }
        guard let parsed = parse(text) else {
            faults.append("\(name) is \(Self.quote(text)), but must be \(wanted)")
            return nil
        }
        return parsed
    }

    /// Holds one more condition against a setting.
    mutating func check(_ name: String, _ wanted: String, _ isMet: (String) -> Bool) {
        _ = read(name, wanted) { isMet($0) ? $0 : nil }
    }

    /// An absolute path: the daemon and its children work in `/`, and a start by hand may be from anywhere.
    mutating func path(_ name: String, _ standard: String) -> String {
        read(name, "an absolute path") { $0.hasPrefix("/") ? $0 : nil } ?? standard
    }

    /// Likewise, and not a folder's.
    mutating func file(_ name: String, _ standard: String) -> String {
        read(name, "the absolute path of a file") { $0.hasPrefix("/") && !$0.hasSuffix("/") ? $0 : nil }
            ?? standard
    }

    /// A name to be looked for in PATH, or an absolute path.
    mutating func program(_ name: String, _ standard: String) -> String {
        read(name, "a program's name, or its absolute path") { text in
            text.hasPrefix("/") || !text.contains("/") ? text : nil
        } ?? standard
    }

    /// Decimal digits, at least 1.
    mutating func size(_ name: String, _ standard: Int) -> Int {
        read(name, "a whole number from 1 to 9007199254740992") { text in
            guard text.utf8.allSatisfy(Self.isDigit), let number = Int(text) else { return nil }
            return (1...1 << 53).contains(number) ? number : nil
        } ?? standard
    }

    /// Seconds, decimals allowed, up to some centuries.
    mutating func time(_ name: String, _ standard: Int) -> Duration {
        read(name, "a number of seconds, such as 30 or 0.5") { text in
            guard text.utf8.allSatisfy({ Self.isDigit($0) || $0 == UInt8(ascii: ".") }),
                let number = Double(text), number <= 9_000_000_000
            else { return nil }
            return .seconds(number)
        } ?? .seconds(standard)
    }

    /// Likewise; 0 is none.
    mutating func optionalTime(_ name: String, _ standard: Int = 0) -> Duration? {
        let time = time(name, standard)
        return time == .zero ? nil : time
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// A value as a message shows it: in quotes, in one line, and not all of a long one.
    private static func quote(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(200).map {
            $0.value < 32 || $0.value == 127 ? "\u{FFFD}" : String($0)
        }
        return "\"\(shown.joined())\"" + (text.unicodeScalars.count > 200 ? " and more" : "")
    }
}

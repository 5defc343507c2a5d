// Reads settings by their names, and collects what is wrong with them.

/// An empty setting counts as not set, as in the shell's `${X:=default}`. If a setting is wrong, the result is its
/// default, and `faults` gets a line.
struct SettingsReader {
    private let environment: [String: String]
    private var names: Set<String> = []
    /// In the order of reading.
    private(set) var faults: [String] = []

    init(_ environment: [String: String]) { self.environment = environment }

    /// Variables with the prefix of the daemon's settings that were not asked for.
    var unknownNames: [String] {
        environment.keys.filter { $0.hasPrefix("DOKKU_DAEMON_") && !names.contains($0) }.sorted()
    }

    /// The text of a setting; nil if it is not set.
    mutating func value(_ name: String) -> String? {
        names.insert(name)
        return environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The result of `parse` for a setting; nil if it is not set, or if `parse` returns nil.
    mutating func read<Value>(_ name: String, _ wanted: String, _ parse: (String) -> Value?) -> Value? {
        guard let text = value(name) else { return nil }
        guard let parsed = parse(text) else {
            faults.append("\(name) is \(Self.quote(text)), but must be \(wanted)")
            return nil
        }
        return parsed
    }

    /// Checks one more condition of a setting.
    mutating func check(_ name: String, _ wanted: String, _ isMet: (String) -> Bool) {
        _ = read(name, wanted) { isMet($0) ? $0 : nil }
    }

    /// An absolute path. The daemon and its children work in `/`, but may be started in any folder.
    mutating func path(_ name: String, _ standard: String) -> String {
        read(name, "an absolute path") { $0.hasPrefix("/") ? $0 : nil } ?? standard
    }

    /// An absolute path that does not end in a slash.
    mutating func file(_ name: String, _ standard: String) -> String {
        read(name, "the absolute path of a file") { $0.hasPrefix("/") && !$0.hasSuffix("/") ? $0 : nil }
            ?? standard
    }

    /// An absolute path, or a name to search for in PATH.
    mutating func program(_ name: String, _ standard: String) -> String {
        read(name, "a program's name, or its absolute path") { text in
            text.hasPrefix("/") || !text.contains("/") ? text : nil
        } ?? standard
    }

    /// Decimal digits; at least 1.
    mutating func size(_ name: String, _ standard: Int) -> Int {
        count(name, standard, in: 1...1 << 53)
    }

    /// Decimal digits, within a range.
    mutating func count(_ name: String, _ standard: Int, in range: ClosedRange<Int>) -> Int {
        read(name, "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            guard text.utf8.allSatisfy(Self.isDigit), let number = Int(text) else { return nil }
            return range.contains(number) ? number : nil
        } ?? standard
    }

    /// Seconds, with decimals, up to some centuries.
    mutating func time(_ name: String, _ standard: Int) -> Duration {
        read(name, "a number of seconds, such as 30 or 0.5") { text in
            guard text.utf8.allSatisfy({ Self.isDigit($0) || $0 == UInt8(ascii: ".") }),
                let number = Double(text), number <= 9_000_000_000
            else { return nil }
            return .seconds(number)
        } ?? .seconds(standard)
    }

    /// Seconds; nil for 0.
    mutating func optionalTime(_ name: String, _ standard: Int = 0) -> Duration? {
        let time = time(name, standard)
        return time == .zero ? nil : time
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// A value for a message: in quotes, in one line, and shortened if it is long.
    private static func quote(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(200).map {
            $0.value < 32 || $0.value == 127 ? "\u{FFFD}" : String($0)
        }
        return "\"\(shown.joined())\"" + (text.unicodeScalars.count > 200 ? " and more" : "")
    }
}

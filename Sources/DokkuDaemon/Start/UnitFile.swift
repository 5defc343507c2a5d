// Reads the parts of systemd's socket units that decide what a socket may do: systemd.unit(5), systemd.socket(5).

/// One unit, with its drop-ins.
struct UnitFile {
    /// The values of `SECTION.KEY`, in their order. An empty value removes those before it.
    private var values: [String: [String]] = [:]
    private var section = ""

    init(_ texts: [[UInt8]]) {
        for text in texts {
            section = ""
            for line in Self.lines(String(decoding: text, as: UTF8.self)) { take(line) }
        }
    }

    /// All values of a setting that is a list.
    func all(_ setting: String) -> [String] { values[setting] ?? [] }

    /// The value of a setting that has one.
    func last(_ setting: String) -> String? { values[setting]?.last }

    /// Without comments; a line that ends in a backslash goes on in the next one.
    private static func lines(_ text: String) -> [String] {
        var lines: [String] = []
        var begun = ""
        for part in text.split(whereSeparator: \.isNewline) {
            let part = trimmed(part)
            if part.hasPrefix("#") || part.hasPrefix(";") { continue }
            if part.hasSuffix("\\") {
                begun += part.dropLast() + " "
            } else {
                lines.append(begun + part)
                begun = ""
            }
        }
        return begun.isEmpty ? lines : lines + [begun]
    }

    private mutating func take(_ line: String) {
        if line.hasPrefix("["), line.hasSuffix("]") {
            section = String(line.dropFirst().dropLast())
            return
        }
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return }
        let key = "\(section).\(Self.trimmed(parts[0]))"
        let value = Self.trimmed(parts[1])
        if value.isEmpty { values[key] = nil } else { values[key, default: []].append(String(value)) }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let end = text.reversed().drop { $0 == " " || $0 == "\t" }
        return Substring(String(end.reversed())).drop { $0 == " " || $0 == "\t" }
    }
}

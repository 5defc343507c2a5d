// What of a command may be seen in a log, a status or an error: no secret, no control character, no more than fits.
// What is not known to be harmless is hidden.

enum Redaction {
    /// Longest description of a command (a word may overrun it), and of one word of it, in bytes.
    private static let lineLimit = 1024
    private static let wordLimit = 256
    /// Stands for what is not shown.
    static let hidden = "***"

    /// A command line for people, in one line. `isUnderstood` is false for a line that was refused as wrong: of that
    /// the first word remains.
    static func describe(_ arguments: ArgumentList, isUnderstood: Bool) -> String {
        guard !arguments.isEmpty else { return "" }
        guard isUnderstood, let invocation = Invocation(arguments) else { return shown(arguments[0]) }
        let hiding = Hiding(invocation)
        var line = shown(arguments[0])
        for index in 1..<arguments.count {
            if line.utf8.count > lineLimit { return line + " …" }
            switch hiding.extent(at: index) {
            case .nothing: line += " " + shown(arguments[index])
            case .word: line += " " + hidden
            case .rest: return line + " " + hidden
            }
        }
        return line
    }

    /// False where the output may hold a secret, or is what an app, a build or a file has to say: of that a log
    /// gets the status and the size.
    static func mayLogOutput(of invocation: Invocation) -> Bool {
        !invocation.hasTrace && !invocation.arguments.contains("--include-metadata")
            && mayLogOutput(name: invocation.name)
    }

    /// The same for a command whose title is known. A command may repeat its arguments, and does so where it refuses
    /// one: what was hidden of them would stand in its output.
    static func mayLogOutput(of invocation: Invocation, titled title: String) -> Bool {
        !hides(title) && mayLogOutput(of: invocation)
    }

    private static func hides(_ title: String) -> Bool {
        var stars = 0
        for byte in title.utf8 {
            stars = byte == UInt8(ascii: "*") ? stars + 1 : 0
            if stars == hidden.utf8.count { return true }
        }
        return false
    }

    static func mayLogOutput(name: String) -> Bool {
        guard let traits = CommandTraits.of(name) else { return false }
        let name = CommandName.target(ofAlias: name) ?? name
        return !traits.showsSecret && traits.endless == .never && !SecretWords.foreignOutput.contains(name)
    }

    /// One line of at most `limit` bytes (3 at least), without control characters. A backslash is doubled, so that
    /// an escape differs from its like in the text.
    static func sanitize(_ text: String, limit: Int) -> String { sanitize(text.utf8, limit: limit) }

    static func sanitize(_ bytes: some Collection<UInt8>, limit: Int) -> String {
        let mark = "…"
        var line = ""
        var fitting = 0
        for scalar in String(decoding: bytes.prefix(limit + 1), as: UTF8.self).unicodeScalars {
            append(scalar, to: &line)
            let length = line.utf8.count
            if length > limit { return String(decoding: line.utf8.prefix(fitting), as: UTF8.self) + mark }
            if length <= limit - mark.utf8.count { fitting = length }
        }
        return line
    }

    private static func append(_ scalar: Unicode.Scalar, to line: inout String) {
        switch scalar {
        case "\n": line += "\\n"
        case "\r": line += "\\r"
        case "\t": line += "\\t"
        case "\\": line += "\\\\"
        case " "..."~": line.unicodeScalars.append(scalar)
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                line += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: line.unicodeScalars.append(scalar)
            }
        }
    }

    /// A word as it stands in a description: quoted where it would run into its neighbours.
    private static func shown(_ word: ArraySlice<UInt8>) -> String {
        if !word.isEmpty, word.count <= wordLimit, word.allSatisfy(isOrdinary) {
            return String(decoding: word, as: UTF8.self)
        }
        let text = sanitize(masked(word), limit: wordLimit)
        guard
            text.isEmpty || text.utf8.contains(where: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\"") })
        else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
            + "\""
    }

    /// True for what needs neither hiding nor escaping: most words hold nothing else.
    private static func isOrdinary(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "="), UInt8(ascii: "@"): false
        default: (0x21...0x7e).contains(byte)
        }
    }

    /// The word without what follows its first `=`, and without a user and password before an `@`.
    static func masked(_ word: some BidirectionalCollection<UInt8>) -> [UInt8] {
        var masked: [UInt8] = []
        var rest = word[...]
        // First this: a password may hold a `=`. The last `@` counts, as it may hold an `@`, too.
        if let at = rest.lastIndex(of: UInt8(ascii: "@")),
            let colon = rest[..<at].firstIndex(of: UInt8(ascii: ":"))
        {
            masked += rest[...colon].prefix(wordLimit)
            if rest[rest.index(after: colon)...].starts(with: "//".utf8) { masked += "//".utf8 }
            masked += hidden.utf8
            rest = rest[at...]
        }
        masked += rest.prefix(wordLimit + 1)
        guard let equals = masked.firstIndex(of: UInt8(ascii: "=")) else { return masked }
        return masked[...equals] + Array(hidden.utf8)
    }
}

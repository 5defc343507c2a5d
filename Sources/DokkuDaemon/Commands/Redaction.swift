// What of a command may be seen in a log, a status or an error: no secret, no control character, no more than fits.
// What is not known to be harmless is hidden.
import DokkuProtocol

enum Redaction {
    /// Longest description of a command (a word may overrun it), and of one word of it, in bytes.
    private static let lineLimit = 1024
    private static let wordLimit = 256
    /// Stands for what is not shown.
    static let hidden = "***"

    /// The words of a request, in one line. `isUnderstood` is false for a line that was refused as wrong: it may be a
    /// secret alone.
    static func describe(_ arguments: ArgumentList, isUnderstood: Bool) -> String {
        guard !arguments.isEmpty else { return "" }
        guard isUnderstood, let invocation = Invocation(arguments) else { return guessed(arguments) }
        return describe(invocation)
    }

    /// A command line for people, in one line.
    static func describe(_ invocation: Invocation) -> String {
        let arguments = invocation.arguments
        let hiding = Hiding(invocation)
        var line = ""
        for index in 0..<arguments.count {
            if line.utf8.count > lineLimit { return line + " …" }
            if index > 0 { line += " " }
            switch hiding.extent(at: index) {
            case .nothing: line += shown(arguments[index])
            case .word: line += hidden
            case .rest: return line + hidden
            }
        }
        return line
    }

    /// Of a line that is no command: what was meant, as far as it is one of dokku's names.
    private static func guessed(_ arguments: ArgumentList) -> String {
        let index = Invocation.nameIndex(in: arguments) ?? 0
        let text = String(decoding: arguments[index].prefix(wordLimit), as: UTF8.self)
        if CommandTraits.of(text) != nil || Builtin.named(arguments, at: index) != nil { return text }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return hidden }
        return CommandTable.prefixes.contains(text[..<colon]) ? "\(text[...colon])\(hidden)" : hidden
    }

    /// False where the output may hold a secret, or is what an app, a build or a file has to say: of that a log
    /// gets the status and the size. A command may repeat its arguments, and does so where it refuses one: what is
    /// hidden of them would stand in its output. All of them count, not only what a description has room for.
    static func mayLogOutput(of invocation: Invocation) -> Bool {
        guard let traits = invocation.traits, !traits.showsSecret, !invocation.hasTrace else { return false }
        let hiding = Hiding(invocation)
        return (0..<invocation.arguments.count).allSatisfy { index in
            hiding.extent(at: index) == .nothing && !invocation.arguments[index].contains(where: isMasking)
        }
    }

    /// True for an output with lines of a shell that traces what it does (bash(1), PS4), as dokku's does after `trace:on`.
    static func isTrace(_ output: [UInt8]) -> Bool {
        var isLineStart = true
        for (index, byte) in output.enumerated() {
            if isLineStart, byte == UInt8(ascii: "+") {
                let rest = output[index...].drop { $0 == UInt8(ascii: "+") }
                if rest.isEmpty || rest.first == UInt8(ascii: " ") { return true }
            }
            isLineStart = byte == UInt8(ascii: "\n")
        }
        return false
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
            if scalar.isControlling {
                line += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                line.unicodeScalars.append(scalar)
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
        (0x21...0x7e).contains(byte) && !isMasking(byte) && byte != UInt8(ascii: "\"")
            && byte != UInt8(ascii: "\\")
    }

    /// True for what something to be hidden may stand beside.
    private static func isMasking(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "=") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "@")
    }

    /// The word without what follows its first `=` or `?`, and without a user and password before an `@`.
    static func masked(_ word: some BidirectionalCollection<UInt8>) -> [UInt8] {
        let word = word[...]
        guard let at = word.lastIndex(of: UInt8(ascii: "@")),
            let colon = word[..<at].firstIndex(of: UInt8(ascii: ":"))
        else { return cut(word) }
        if let equals = word[..<colon].firstIndex(where: isMasking) { return cut(word[...equals]) }
        // The last `@`, and the scheme alone where it is not clear what stands before it: a password may hold any
        // character, and so may what follows a `/`, a `?` or a `=`.
        let afterColon = word[word.index(after: colon)..<at]
        let scheme = Array(word[...colon].prefix(schemeLimit + 1))
        if afterColon.starts(with: "//".utf8) {
            let login = afterColon.dropFirst(2)
            let isClear = !login.contains { isMasking($0) || $0 == UInt8(ascii: "/") }
            guard scheme.count <= schemeLimit, scheme.allSatisfy(isOfScheme) else {
                return Array(hidden.utf8)
            }
            return scheme + "//".utf8 + hidden.utf8 + (isClear ? cut(word[at...]) : [])
        }
        return afterColon.contains(where: isMasking) ? Array(hidden.utf8) : hidden.utf8 + cut(word[at...])
    }

    /// Longer ones are none.
    private static let schemeLimit = 32

    private static func isOfScheme(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    /// Up to and with the first `=` or `?`, and the word's limit at most.
    private static func cut(_ word: some Collection<UInt8>) -> [UInt8] {
        let start = Array(word.prefix(wordLimit + 1))
        guard let end = start.firstIndex(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: "?") }) else {
            return start
        }
        return Array(start[...end]) + hidden.utf8
    }
}

extension Unicode.Scalar {
    /// True for what is obeyed rather than shown.
    var isControlling: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

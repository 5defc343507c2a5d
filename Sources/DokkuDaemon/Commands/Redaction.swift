// What of a command may appear in a log, a status or an error: no secret, no control character, a limited length.
// Whatever is not known to be harmless is hidden.
import DokkuProtocol

enum Redaction {
    /// The longest description of a command (one word may exceed it), and of one word, in bytes.
    private static let lineLimit = 1024
    private static let wordLimit = 256
    /// Replaces what is hidden.
    static let hidden = "***"

    /// The words of a request, in one line. `isUnderstood` is false if the line was refused as invalid: then a
    /// secret may be all that it holds.
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

    /// A path that is no secret, as one word.
    static func describe(path: String) -> String {
        path.utf8.count <= lineLimit && path.utf8.allSatisfy(isOrdinary)
            ? path : quoted(sanitize(path, limit: lineLimit))
    }

    /// For a line that is not a command: the name that was meant, as far as it is one of dokku's.
    private static func guessed(_ arguments: ArgumentList) -> String {
        let index = Invocation.nameIndex(in: arguments) ?? 0
        let text = String(decoding: arguments[index].prefix(wordLimit), as: UTF8.self)
        if CommandTraits.of(text) != nil || Builtin.named(arguments, at: index) != nil { return text }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return hidden }
        return CommandTable.prefixes.contains(text[..<colon]) ? "\(text[...colon])\(hidden)" : hidden
    }

    /// False if the output may hold a secret, or is text of an app, a build or a file: the log then gets only its
    /// status and size. A command may repeat its arguments, above all if it rejects one. So the output is also
    /// hidden if any argument is, even one that a description has no room for.
    static func mayLogOutput(of invocation: Invocation) -> Bool {
        guard let traits = invocation.traits, !traits.showsSecret, !invocation.hasTrace else { return false }
        let hiding = Hiding(invocation)
        return (0..<invocation.arguments.count).allSatisfy { index in
            hiding.extent(at: index) == .nothing && !invocation.arguments[index].contains(where: isMasking)
        }
    }

    /// True if the output holds lines of a shell with tracing on (bash(1), PS4), as dokku's shells write after
    /// `trace:on`.
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

    /// One line of at most `limit` bytes (which is 3 or more), without control characters. A backslash is doubled,
    /// so that an escape differs from the same characters in the text.
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

    /// A word as it appears in a description: in quotes if it is empty or holds a blank or a quote.
    private static func shown(_ word: ArraySlice<UInt8>) -> String {
        if !word.isEmpty, word.count <= wordLimit, word.allSatisfy(isOrdinary) {
            return String(decoding: word, as: UTF8.self)
        }
        return quoted(sanitize(masked(word), limit: wordLimit))
    }

    private static func quoted(_ text: String) -> String {
        guard
            text.isEmpty || text.utf8.contains(where: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\"") })
        else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
            + "\""
    }

    /// True for a byte that needs neither hiding nor escaping. Most words have no others.
    private static func isOrdinary(_ byte: UInt8) -> Bool {
        (0x21...0x7e).contains(byte) && !isMasking(byte) && byte != UInt8(ascii: "\"")
            && byte != UInt8(ascii: "\\")
    }

    /// True for a byte that may have a secret beside it.
    private static func isMasking(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "=") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "@")
    }

    /// The word without what follows its first `=` or `?`, and without the user and password before an `@`.
    static func masked(_ word: some BidirectionalCollection<UInt8>) -> [UInt8] {
        let word = word[...]
        guard let at = word.lastIndex(of: UInt8(ascii: "@")),
            let colon = word[..<at].firstIndex(of: UInt8(ascii: ":"))
        else { return cut(word) }
        if let equals = word[..<colon].firstIndex(where: isMasking) { return cut(word[...equals]) }
        // A password may hold any character, so the login ends at the last `@`. If a `/`, `?`, `=` or `@` comes
        // before that, the login's end is unclear, and only the scheme is shown.
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

    /// A longer word is not a scheme.
    private static let schemeLimit = 32

    private static func isOfScheme(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    /// The word up to and with its first `=` or `?`, and the word's limit at most.
    private static func cut(_ word: some Collection<UInt8>) -> [UInt8] {
        let start = Array(word.prefix(wordLimit + 1))
        guard let end = start.firstIndex(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: "?") }) else {
            return start
        }
        return Array(start[...end]) + hidden.utf8
    }
}

extension Unicode.Scalar {
    /// True for a character that a terminal obeys instead of showing it.
    var isControlling: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

// Splits a request line into the words of a command, either by the quoting rules of the POSIX shell (XCU 2.2) and
// no other of its rules, or at blanks alone. It works on bytes, because a word need not be UTF-8.

/// A file on the daemon's host that replaces a command's input or output.
public struct Redirection: Equatable, Sendable {
    public enum Direction: Sendable {
        /// `<`: the file is the command's standard input.
        case input
        /// `>`: the command's standard output goes to the file.
        case output
    }

    public var direction: Direction
    /// Absolute, without a NUL.
    public var path: [UInt8]

    public init(direction: Direction, path: [UInt8]) {
        self.direction = direction
        self.path = path
    }
}

public enum ShellWords {
    public enum Failure: Error, Equatable, CaseIterable {
        case unbalancedSingleQuote
        case unbalancedDoubleQuote
        case trailingBackslash
        case relativePath
        case nulByte
        /// Only in the command of a JSON request: it is two commands, or an argument without quotes.
        case unquotedNewline

        public var refusal: Refusal {
            switch self {
            case .unbalancedSingleQuote: .invalid("Unbalanced single quote")
            case .unbalancedDoubleQuote: .invalid("Unbalanced double quote")
            case .trailingBackslash: .invalid("Backslash at the end of the line")
            case .relativePath: .invalid("The file of a redirection needs an absolute path")
            case .nulByte: .invalid("NUL byte in the line")
            case .unquotedNewline: .invalid("Newline outside of quotes: a command is one line")
            }
        }
    }

    /// Reads the words of `line` into `words`, which is emptied first. If redirection is allowed and the last word
    /// but one is an unquoted `<` or `>`, the last two words are returned and are not in `words`. After a failure
    /// `words` holds the complete words.
    public static func split(
        _ line: ArraySlice<UInt8>, into words: inout ArgumentList, allowsRedirection: Bool = true
    ) throws(Failure) -> Redirection? {
        try split(line.span, by: readWord, into: &words, allowsRedirection: allowsRedirection)
    }

    /// The same, but quotes and backslashes are ordinary bytes.
    public static func splitAtBlanks(
        _ line: ArraySlice<UInt8>, into words: inout ArgumentList, allowsRedirection: Bool = true
    ) throws(Failure) -> Redirection? {
        try split(line.span, by: readRawWord, into: &words, allowsRedirection: allowsRedirection)
    }

    /// Reads one word at an index, and moves the index to its end.
    private typealias Reader = (Span<UInt8>, inout Int, inout ArgumentList) throws(Failure) -> Void

    private static func split(
        _ line: Span<UInt8>, by read: Reader, into words: inout ArgumentList, allowsRedirection: Bool
    ) throws(Failure) -> Redirection? {
        words.removeAll()
        var index = 0
        /// The last word and the one before it, if they are redirection operators.
        var last: Redirection.Direction?
        var lastButOne: Redirection.Direction?
        while true {
            while index < line.count, isBlank(line[index]) { index += 1 }
            guard index < line.count else { break }
            let start = index
            do {
                try read(line, &index, &words)
            } catch {
                words.removeLast(0)
                throw error
            }
            // A word of one byte has no quotes: they would be bytes of it, too.
            lastButOne = last
            last = index - start == 1 ? Redirection.Direction(line[start]) : nil
            words.endWord()
        }
        guard allowsRedirection, let direction = lastButOne else { return nil }
        let path = words[words.count - 1]
        guard path.first == UInt8(ascii: "/") else { throw .relativePath }
        let redirection = Redirection(direction: direction, path: Array(path))
        words.removeLast(2)
        return redirection
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    private static func readRawWord(
        _ line: Span<UInt8>, at index: inout Int, into words: inout ArgumentList
    ) throws(Failure) {
        let start = index
        while index < line.count, !isBlank(line[index]) {
            guard line[index] != 0 else { throw .nulByte }
            index += 1
        }
        words.append(line.extracting(start..<index))
    }

    private static func readWord(
        _ line: Span<UInt8>, at index: inout Int, into words: inout ArgumentList
    ) throws(Failure) {
        while true {
            appendRun(of: line, from: &index, to: &words) { byte in
                // For most bytes, two comparisons show that they are ordinary.
                if byte > UInt8(ascii: "'"), byte != UInt8(ascii: "\\") { return false }
                return switch byte {
                case 0, UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\\"),
                    UInt8(ascii: "'"), UInt8(ascii: "\""):
                    true
                default: false
                }
            }
            guard index < line.count else { return }
            switch line[index] {
            case UInt8(ascii: "\\"):
                index += 1
                guard index < line.count else { throw .trailingBackslash }
                try appendEscaped(line[index], to: &words)
                index += 1
            case UInt8(ascii: "'"):
                index += 1
                appendRun(of: line, from: &index, to: &words) { $0 == UInt8(ascii: "'") || $0 == 0 }
                try endQuote(line, at: &index, otherwise: .unbalancedSingleQuote)
            case UInt8(ascii: "\""): try readDoubleQuoted(line, at: &index, into: &words)
            case UInt8(ascii: "\n"): throw .unquotedNewline
            case 0: throw .nulByte
            default: return
            }
        }
    }

    /// Reads the part of a word between two double quotes.
    private static func readDoubleQuoted(
        _ line: Span<UInt8>, at index: inout Int, into words: inout ArgumentList
    ) throws(Failure) {
        index += 1
        while true {
            appendRun(of: line, from: &index, to: &words) {
                $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 == 0
            }
            guard index + 1 < line.count, line[index] == UInt8(ascii: "\\") else { break }
            let next = line[index + 1]
            switch next {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$"), UInt8(ascii: "`"),
                UInt8(ascii: "\n"),
                0:
                try appendEscaped(next, to: &words)
                index += 2
            default:
                // Before any other byte the backslash stays.
                words.append(line[index])
                words.append(next)
                index += 2
            }
        }
        if index < line.count, line[index] == UInt8(ascii: "\\") { index += 1 }
        try endQuote(line, at: &index, otherwise: .unbalancedDoubleQuote)
    }

    private static func endQuote(
        _ line: Span<UInt8>, at index: inout Int, otherwise failure: Failure
    ) throws(Failure) {
        guard index < line.count else { throw failure }
        guard line[index] != 0 else { throw .nulByte }
        index += 1
    }

    /// A byte after a backslash is itself. A newline is removed together with its backslash (line continuation).
    private static func appendEscaped(_ byte: UInt8, to words: inout ArgumentList) throws(Failure) {
        guard byte != 0 else { throw .nulByte }
        if byte != UInt8(ascii: "\n") { words.append(byte) }
    }

    /// Appends the bytes before the next one that `isSpecial`.
    private static func appendRun(
        of line: Span<UInt8>, from index: inout Int, to words: inout ArgumentList,
        until isSpecial: (UInt8) -> Bool
    ) {
        let start = index
        var end = start
        while end < line.count, !isSpecial(line[end]) { end += 1 }
        index = end
        if start < end { words.append(line.extracting(start..<end)) }
    }
}

extension Redirection.Direction {
    fileprivate init?(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "<"): self = .input
        case UInt8(ascii: ">"): self = .output
        default: return nil
        }
    }
}

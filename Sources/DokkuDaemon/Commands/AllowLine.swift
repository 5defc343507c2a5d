// One line of a list of allowed commands: `config:set --no-restart blog ...`. It is compared word by word.
import DokkuProtocol

struct AllowLine: Equatable, Sendable {
    enum Word: Equatable, Sendable {
        case exactly([UInt8])
        /// `*`: one plain word.
        case any
    }

    /// Counted from 1.
    let number: Int
    /// As it stands in the file, with single blanks and without a comment.
    let text: String
    let words: [Word]
    /// The command's name, which is always exact.
    let name: String
    /// `...` at the end: any further words.
    let takesMore: Bool
    /// `<` at the end: an input that the client sends.
    let takesInput: Bool

    func allows(_ arguments: ArgumentList, hasInput: Bool) -> Bool {
        guard takesMore ? arguments.count >= words.count : arguments.count == words.count else {
            return false
        }
        if hasInput, !takesInput { return false }
        return hasExactWords(of: arguments) && hasPlainWords(of: arguments)
            && (words.count..<arguments.count).allSatisfy { !Self.leadsAway(arguments[$0]) }
    }

    private func hasExactWords(of arguments: ArgumentList) -> Bool {
        words.indices.allSatisfy { index in
            switch words[index] {
            case .exactly(let bytes): arguments[index].elementsEqual(bytes)
            case .any: true
            }
        }
    }

    /// A word may have a megabyte, and a list thousands of lines. So ask only if the exact words are there.
    private func hasPlainWords(of arguments: ArgumentList) -> Bool {
        words.indices.allSatisfy { words[$0] != .any || Self.isPlain(arguments[$0]) }
    }

    /// True for a word that is no flag and no path that leads out of a folder, and that a shell leaves as it is: dokku
    /// and its plugins pass some words on without quotes, and an option of docker could follow a blank.
    private static func isPlain(_ argument: ArraySlice<UInt8>) -> Bool {
        guard let first = argument.first, !"-./~#".utf8.contains(first) else { return false }
        let isSpecial = isSpecial
        var isASCII = true
        for byte in argument {
            if isSpecial[Int(byte)] { return false }
            if byte >= 0x80 { isASCII = false }
        }
        return !leadsOut(argument) && (isASCII || isText(argument))
    }

    /// By byte: blanks, control characters, and what means something to a shell.
    private static let isSpecial = (0...UInt8.max).map { byte in
        byte <= 0x20 || byte == 0x7f || "'\"\\`$;&|<>()*?[]{}".utf8.contains(byte)
    }

    /// Whether a part of the path is `..`. A word may have a megabyte, so it is read once.
    private static func leadsOut(_ path: ArraySlice<UInt8>) -> Bool {
        // Of the part so far, which is more than that if it has anything else.
        var dots = 0
        for byte in path {
            switch byte {
            case UInt8(ascii: "/"):
                if dots == 2 { return true }
                dots = 0
            case UInt8(ascii: "."): dots += 1
            default: dots = 3
            }
        }
        return dots == 2
    }

    /// True for UTF-8 without blanks and control characters.
    private static func isText(_ argument: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: argument, as: UTF8.self)
        return text.utf8.elementsEqual(argument)
            && text.unicodeScalars.allSatisfy { !$0.isControlling && !$0.properties.isWhitespace }
    }

    /// Whether the client chooses some of the words, or the input.
    var isOpen: Bool { takesMore || takesInput || words.contains(.any) }

    /// True for a flag that dokku finds anywhere in the words and that changes what the words before it mean, and for
    /// one that makes a command for one app a command for all.
    private static func leadsAway(_ argument: ArraySlice<UInt8>) -> Bool {
        guard argument.first == UInt8(ascii: "-") else { return false }
        let flag = argument.prefix { $0 != UInt8(ascii: "=") }
        return farFlags.contains { flag.elementsEqual($0.utf8) }
    }

    /// `...` does not stand for these; the line must have them itself.
    static let farFlags = ["--app", "--quiet", "--trace", "--force", "--global", "--all", "--all-apps"]
}

extension AllowLine {
    /// What is wrong with a line.
    struct Fault: Error, Equatable { let text: String }

    /// Nil for a line without words.
    init?(_ line: ArraySlice<UInt8>, number: Int) throws(Fault) {
        var texts: [String] = []
        for word in line.split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) {
            if word.first == UInt8(ascii: "#") { break }
            texts.append(try Self.text(word))
        }
        if texts.isEmpty { return nil }
        text = texts.joined(separator: " ")
        takesInput = Self.removeLast("<", from: &texts)
        takesMore = Self.removeLast("...", from: &texts)
        for word in texts {
            switch word {
            case "...": throw Fault(text: "\"...\" may stand at the end only")
            case "<": throw Fault(text: "\"<\" may stand at the end only")
            case ">": throw Fault(text: "files cannot be allowed")
            default: break
            }
        }
        self.number = number
        words = texts.map { $0 == "*" ? .any : .exactly(Array($0.utf8)) }
        name = try Self.name(in: texts)
    }

    private static func text(_ word: ArraySlice<UInt8>) throws(Fault) -> String {
        let text = String(decoding: word, as: UTF8.self)
        guard text.utf8.elementsEqual(word), word.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw Fault(text: "it has control characters, or is not UTF-8")
        }
        guard !word.contains(where: { "\"'\\".utf8.contains($0) }) else {
            throw Fault(
                text: "quotes and backslashes cannot be used here: words are separated by blanks alone")
        }
        return text
    }

    private static func removeLast(_ mark: String, from texts: inout [String]) -> Bool {
        guard texts.last == mark else { return false }
        texts.removeLast()
        return true
    }

    private static func name(in texts: [String]) throws(Fault) -> String {
        let arguments = ArgumentList(texts)
        guard let index = Invocation.nameIndex(in: arguments), texts[index] != "*" else {
            throw Fault(text: "it names no command: a line begins with a command's name, after global flags")
        }
        let name = texts[index]
        guard CommandName.isWellFormed(name.utf8) || CommandName.isVersionFlag(name) else {
            throw Fault(text: "\"\(name)\" cannot be a command's name")
        }
        if name.hasPrefix("daemon:"), Builtin.named(arguments, at: index) == nil {
            throw Fault(text: "the daemon has no command \(name)")
        }
        return name
    }
}

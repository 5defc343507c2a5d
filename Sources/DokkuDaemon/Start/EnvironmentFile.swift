// Reads a file of settings as systemd reads the file of EnvironmentFile=: systemd.exec(5), and src/basic/env-file.c
// for details that the page leaves open.

struct EnvironmentFile {
    /// The last value of each name.
    private(set) var variables: [String: String] = [:]
    /// Texts before a `=` that are not valid names; systemd ignores their lines.
    private(set) var wrongNames: [String] = []

    private enum State {
        case beforeName, name, beforeValue, value, escape, singleQuotes, doubleQuotes, escapeInDoubleQuotes
        case comment, escapeInComment
    }

    private var state = State.beforeName
    private var name: [UInt8] = []
    private var value: [UInt8] = []
    /// The part of `value` that stays. Blanks after it stay only if more follows.
    private var keptCount = 0

    init(_ bytes: [UInt8]) {
        for byte in bytes { take(byte) }
        switch state {
        case .beforeName, .name, .comment, .escapeInComment: break
        default: endLine()
        }
    }

    private mutating func take(_ byte: UInt8) {
        let isNewline = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        let isBlank = isNewline || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
        switch state {
        case .beforeName:
            if byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") {
                state = .comment
            } else if !isBlank {
                state = .name
                name = [byte]
            }
        case .name:
            if isNewline {
                state = .beforeName
            } else if byte == UInt8(ascii: "=") {
                state = .beforeValue
                value = []
                keptCount = 0
            } else {
                name.append(byte)
            }
        case .beforeValue, .value: takeValue(byte, isNewline: isNewline, isBlank: isBlank)
        case .escape:
            state = .value
            if !isNewline { keep(byte) }
        case .singleQuotes:
            if byte == UInt8(ascii: "'") { state = .beforeValue } else { keep(byte) }
        case .doubleQuotes:
            switch byte {
            case UInt8(ascii: "\""): state = .beforeValue
            case UInt8(ascii: "\\"): state = .escapeInDoubleQuotes
            default: keep(byte)
            }
        case .escapeInDoubleQuotes:
            state = .doubleQuotes
            if isNewline { return }
            if !"\"\\`$".utf8.contains(byte) { keep(UInt8(ascii: "\\")) }
            keep(byte)
        case .comment:
            if byte == UInt8(ascii: "\\") {
                state = .escapeInComment
            } else if isNewline {
                state = .beforeName
            }
        case .escapeInComment:
            state = .comment
        }
    }

    private mutating func takeValue(_ byte: UInt8, isNewline: Bool, isBlank: Bool) {
        if isNewline { return endLine() }
        switch byte {
        case UInt8(ascii: "\\"): state = .escape
        case UInt8(ascii: "'") where state == .beforeValue: state = .singleQuotes
        case UInt8(ascii: "\"") where state == .beforeValue: state = .doubleQuotes
        default:
            if state == .beforeValue, isBlank { return }
            state = .value
            value.append(byte)
            if !isBlank { keptCount = value.count }
        }
    }

    private mutating func keep(_ byte: UInt8) {
        value.append(byte)
        keptCount = value.count
    }

    private mutating func endLine() {
        state = .beforeName
        let text = String(decoding: name.reversed().drop { $0 == 32 || $0 == 9 }.reversed(), as: UTF8.self)
        if Self.isName(text) {
            variables[text] = String(decoding: value.prefix(keptCount), as: UTF8.self)
        } else {
            wrongNames.append(text)
        }
    }

    /// Letters, digits and `_`, not beginning with a digit.
    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte & 0xDF) || byte == UInt8(ascii: "_")
        }
    }
}

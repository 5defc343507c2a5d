// Writes plain lines: the words of a command, quoted so that `ShellWords` reads the same words back.

public enum PlainRequest {
    /// The line, its newline included. No word is read as anything else: not `<`, and not a first word that begins with
    /// `{`. A socket with the rule `raw-words` knows no quotes, so send it JSON.
    public static func line(_ words: ArgumentList) throws(Unsendable) -> [UInt8] {
        var line: [UInt8] = []
        for index in 0..<words.count {
            if index > 0 { line.append(" ") }
            try append(words[index], to: &line)
        }
        line.append("\n")
        return line
    }

    private static func append(_ word: ArraySlice<UInt8>, to line: inout [UInt8]) throws(Unsendable) {
        if !word.isEmpty, word.allSatisfy(isOrdinary) { return line.append(contentsOf: word) }
        line.append("'")
        for byte in word {
            switch byte {
            case 0: throw .nulByte
            case UInt8(ascii: "\n"): throw .newline
            case UInt8(ascii: "'"): line.append(#"'\''"#)
            default: line.append(byte)
            }
        }
        line.append("'")
    }

    /// True for a byte that means itself without quotes, wherever it stands.
    private static func isOrdinary(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "+")...UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

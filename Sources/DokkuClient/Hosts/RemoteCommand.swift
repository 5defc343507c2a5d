// The command that ssh runs on another machine: dokku-client with the same options and words, quoted for a POSIX shell.

enum RemoteCommand {
    /// A line for the login shell there. It has no newline at its end.
    static func line(_ arguments: Arguments) -> [UInt8] {
        var words: [[UInt8]] = [Array("dokku-client".utf8)]
        func add(_ word: String) { words.append(Array(word.utf8)) }
        // Nobody there would notice otherwise that ssh has gone.
        add("--until-unread")
        if let socket = arguments.socket { add("--socket=\(socket)") }
        if let timeout = arguments.timeout { add("--timeout=\(seconds(timeout))") }
        if arguments.isDetached { add("--detach") }
        if arguments.isJSON { add("--json") }
        if arguments.givesInput { add("--stdin") }
        let all = (0..<arguments.words.count).map { Array(arguments.words[$0]) }
        // dokku's global flags stand among the options, because some of them mean something to the client as well.
        let flags = arguments.globalFlags
        words += all[..<flags]
        add("--")
        words += all[flags...]
        return Array(words.map(quoted).joined(separator: [UInt8(ascii: " ")]))
    }

    /// As one word, whatever bytes it has.
    static func quoted(_ word: [UInt8]) -> [UInt8] {
        if !word.isEmpty, word.allSatisfy(isPlain) { return word }
        let quote = UInt8(ascii: "'")
        var text = [quote]
        for byte in word {
            // Closed, a quote of its own, opened again.
            if byte == quote { text += Array("'\\'".utf8) }
            text.append(byte)
        }
        text.append(quote)
        return text
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"),
            UInt8(ascii: ":"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func seconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let micros = String(attoseconds / 1_000_000_000_000)
        return "\(seconds).\(String(repeating: "0", count: 6 - micros.utf8.count))\(micros)"
    }
}

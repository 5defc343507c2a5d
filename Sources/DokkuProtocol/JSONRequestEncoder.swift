// Writes JSON requests: lines that `JSONRequestDecoder` reads as the same request. What the daemon refuses, such as
// `strip_ansi` with base64, is written as it is: the daemon says what is wrong with it.

public enum JSONRequestEncoder {
    /// The line, its newline included. An input that is announced follows it: `.following` at once, `.chunks` when the
    /// daemon has asked for it.
    public static func line(_ request: JSONRequest) throws(Unsendable) -> [UInt8] {
        var line: [UInt8] = []
        line.append("{")
        line.append(identity: request.id)
        line.append("\"command\":[")
        for index in 0..<request.command.count {
            let word = request.command[index]
            if word.contains(0) { throw .nulByte }
            if index > 0 { line.append(",") }
            try append(word, to: &line)
        }
        line.append("]")
        if request.isStreamed { line.append(",\"stream\":true") }
        if let input = request.input { try append(input, to: &line) }
        if request.encoding == .base64 { line.append(",\"encoding\":\"base64\"") }
        if request.stripsAnsi { line.append(",\"strip_ansi\":true") }
        if let timeout = request.timeout { append(timeout, to: &line) }
        if request.endsWithClient { line.append(",\"on_disconnect\":\"cancel\"") }
        if request.isDetached { line.append(",\"detach\":true") }
        if request.handsOverDescriptors { line.append(",\"descriptors\":true") }
        if let terminal = request.terminal {
            line.append(",\"terminal\":")
            try append(Array(terminal.utf8)[...], to: &line)
        }
        line.append("}\n")
        return line
    }

    private static func append(_ input: JSONRequest.Input, to line: inout [UInt8]) throws(Unsendable) {
        switch input {
        case .bytes(let bytes):
            line.append(",\"stdin\":")
            try append(bytes[...], to: &line)
        case .following(let count):
            line.append(",\"stdin_length\":")
            line.append(decimal: count)
        case .chunks: line.append(",\"stdin_chunks\":true")
        }
    }

    /// In seconds, to the nanosecond.
    private static func append(_ timeout: Duration, to line: inout [UInt8]) {
        let (seconds, rest) = max(0, timeout.wholeNanoseconds).quotientAndRemainder(dividingBy: 1_000_000_000)
        line.append(",\"timeout\":")
        line.append(decimal: seconds)
        guard rest > 0 else { return }
        line.append(".")
        line.append(contentsOf: String(1_000_000_000 + rest).utf8.dropFirst())
    }

    private static func append(_ text: ArraySlice<UInt8>, to line: inout [UInt8]) throws(Unsendable) {
        guard let text = String(validating: text, as: UTF8.self) else { throw .notUTF8 }
        line.append("\"")
        line.append(escaping: text)
        line.append("\"")
    }
}

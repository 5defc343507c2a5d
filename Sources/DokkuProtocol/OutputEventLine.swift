// Reads the lines that most of a long output consists of, as `JSONReply` writes them: an output event without an id, in
// base64. It is twenty times as fast as a reader of any JSON (measured). Whatever differs in a byte is left to that one.

enum OutputEventLine {
    /// Nil if the line is another one.
    static func read(_ line: ArraySlice<UInt8>) -> (stream: OutputStream, data: [UInt8])? {
        line.withUnsafeBufferPointer { line in
            for (stream, head) in heads where line.starts(with: head) {
                guard line.count >= head.count + tail.count, line.suffix(tail.count).elementsEqual(tail)
                else {
                    return nil
                }
                let data = UnsafeBufferPointer(rebasing: line[head.count..<line.count - tail.count])
                // A quote or a backslash is no digit, so the text ends where it seems to end.
                return Base64Decoder.decode(data).map { (stream, $0) }
            }
            return nil
        }
    }

    private static let heads: [(OutputStream, [UInt8])] = [
        (.standardOutput, Array(#"{"event":"output","stream":"stdout","data":""#.utf8)),
        (.standardError, Array(#"{"event":"output","stream":"stderr","data":""#.utf8)),
    ]
    private static let tail = Array(#""}"#.utf8)
}

// A request of a few words, whose answer is one line.
import DokkuProtocol

enum Question {
    /// The request's line, of words that are known to be text.
    static func line(_ words: [String]) -> [UInt8] {
        var line: [UInt8] = []
        line.append("{\"command\":[")
        for (index, word) in words.enumerated() {
            line.append(index == 0 ? "\"" : ",\"")
            line.append(escaping: word)
            line.append("\"")
        }
        line.append("]}\n")
        return line
    }
}

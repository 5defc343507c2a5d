// What the client asks for, as it goes over the wire.
import DokkuProtocol

struct Request {
    let line: [UInt8]
    let encoding: JSONRequest.Encoding
    /// Standard input, output and error, if the daemon gets them itself; else none.
    let descriptors: [Int32]
    /// Whether the command has the client's terminal as its own.
    let sharesTerminal: Bool

    /// Bytes come exactly and as they are written.
    init(_ request: JSONRequest, handingOver descriptors: [Int32] = []) throws(Unsendable) {
        line = try JSONRequestEncoder.line(request)
        encoding = request.encoding
        self.descriptors = descriptors
        sharesTerminal = false
    }

    /// A request of words that are known to be text.
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

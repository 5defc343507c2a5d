// What the client asks for, as it goes over the wire.
import DokkuProtocol
import Glibc

struct Request {
    let line: [UInt8]
    let encoding: JSONRequest.Encoding
    let handover: Handover

    /// For a command that is watched, bytes come exactly and as they are written, and it ends with the client.
    init(_ words: ArgumentList, _ arguments: Arguments, _ handover: Handover) throws(Unsendable) {
        var request = JSONRequest(words)
        request.timeout = arguments.timeout
        if handover.sendsInput { request.input = .chunks }
        if arguments.isDetached {
            request.isDetached = true
        } else {
            request.isStreamed = true
            request.encoding = .base64
            request.endsWithClient = true
            request.handsOverDescriptors = !handover.descriptors.isEmpty
            if handover.terminal != nil { request.terminal = Self.terminalKind }
        }
        line = try JSONRequestEncoder.line(request)
        encoding = request.encoding
        self.handover = handover
    }

    /// The kind of the client's terminal, if it is one that the protocol can name.
    private static var terminalKind: String? {
        guard let value = getenv("TERM") else { return nil }
        let name = String(cString: value)
        return JSONRequest.isTerminal(name.utf8) ? name : nil
    }
}

// A request about a job that runs, while its own connection waits for the answer.
import DokkuProtocol

final class Aside {
    private let connection: Connection
    private let name: String
    private let complain: (String) -> Void

    /// `complain` is told why, if the daemon refuses it.
    init(
        _ words: [String], to path: String, complain: @escaping (String) -> Void
    ) throws(SystemFailure) {
        self.complain = complain
        name = words.joined(separator: " ")
        // The loop of the session stands still meanwhile.
        connection = try Connection(to: path, patience: 500)
        try connection.send(Question.line(words))
    }

    var descriptor: Int32 { connection.descriptor }

    /// True when the answer has come, or none will come.
    func hasEnded(after poll: Poll) -> Bool {
        guard poll.canRead(descriptor) else { return false }
        do {
            if case .end = try connection.receive() { return true }
            guard let line = connection.nextLine() else { return false }
            if case .end(let last) = try ReplyLine(line).content { tell(last) }
            return true
        } catch {
            return true
        }
    }

    /// A job that has just ended by itself is no trouble.
    private func tell(_ answer: ReplyLine.End) {
        guard !answer.isOK, answer.error != ErrorCode.invalidRequest.rawValue, answer.error != nil else {
            return
        }
        complain("\(name): \(String(decoding: answer.output, as: UTF8.self))")
    }
}

// A request about a job that runs, while its own connection waits for the answer.
import DokkuProtocol

final class Aside {
    enum Purpose {
        case cancel
        /// Passes on a signal of the terminal, by its name.
        case signal(String)
    }

    enum Stage {
        case waiting
        /// The answer has come, or none will come.
        case over
        case refused(String)
    }

    let purpose: Purpose
    private let connection: Connection
    private let name: String

    init(_ purpose: Purpose, of job: UInt64, to path: String) throws(SystemFailure) {
        self.purpose = purpose
        let words =
            switch purpose {
            case .cancel: ["daemon:cancel", String(job)]
            case .signal(let signal): ["daemon:signal", String(job), signal]
            }
        name = words.joined(separator: " ")
        // The loop of the session stands still meanwhile.
        connection = try Connection(to: path, patience: 500)
        try connection.send(Question.line(words))
    }

    var descriptor: Int32 { connection.descriptor }

    func stage(after poll: Poll) -> Stage {
        guard poll.canRead(descriptor) else { return .waiting }
        do {
            if case .end = try connection.receive() { return .over }
            guard let line = connection.nextLine() else { return .waiting }
            guard case .end(let last) = try ReplyLine(line).content else { return .over }
            return stage(after: last)
        } catch {
            return .over
        }
    }

    /// A job that has just ended by itself is no trouble.
    private func stage(after answer: ReplyLine.End) -> Stage {
        guard !answer.isOK, answer.error != ErrorCode.invalidRequest.rawValue, answer.error != nil else {
            return .over
        }
        return .refused("\(name): \(String(decoding: answer.output, as: UTF8.self))")
    }
}

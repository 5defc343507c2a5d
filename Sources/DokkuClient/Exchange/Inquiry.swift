// A short question to the daemon, whose answer is worth a moment and no more.
import DokkuProtocol

enum Inquiry {
    /// The output of one of the daemon's own commands; nil if it does not come in time, or if it is refused, or once there is
    /// something to read from `interruption`.
    static func answer(
        to words: [String], at path: String, milliseconds: Int32, interruption: Int32? = nil
    ) -> [UInt8]? {
        let deadline = Deadline(milliseconds: milliseconds)
        do {
            let connection = try Connection(to: path, patience: milliseconds)
            try connection.send(Question.line(words))
            while true {
                if let line = connection.nextLine() {
                    guard case .end(let end) = try ReplyLine(line).content, end.isOK else { return nil }
                    return end.output
                }
                var poll = Poll()
                poll.wantsRead(connection.descriptor)
                if let interruption { poll.wantsRead(interruption) }
                poll.wait(milliseconds: deadline.left)
                guard poll.canRead(connection.descriptor), try connection.receive() == .something else {
                    return nil
                }
            }
        } catch {
            return nil
        }
    }
}

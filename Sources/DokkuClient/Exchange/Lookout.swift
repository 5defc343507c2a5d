// How it is with the queue, asked on a connection of its own while a command waits: at most once a second, without waiting,
// and without a word if there is no answer.
import DokkuProtocol

final class Lookout {
    private static let pause: Int64 = 1000
    private static let request = Question.line(["daemon:queue", "--format", "json"])

    private enum State {
        case idle
        case asked
        /// The daemon does not tell.
        case over
    }

    private let path: String
    private var connection: Connection?
    private var state = State.idle
    private var askedAt = Int64.min / 2

    init(_ path: String) { self.path = path }

    /// What an answer comes from, if one is expected.
    var descriptor: Int32? {
        if case .asked = state { connection?.descriptor } else { nil }
    }

    func ask() {
        guard case .idle = state, Clock.now - askedAt >= Self.pause else { return }
        askedAt = Clock.now
        do throws(SystemFailure) {
            if connection == nil { connection = try Connection(to: path, patience: 1) }
            try connection?.send(Self.request)
            state = .asked
        } catch {
            connection = nil
        }
    }

    /// The listing, if it has come.
    func answer(after poll: Poll) -> [UInt8]? {
        guard let connection, let descriptor, poll.canRead(descriptor) else { return nil }
        do {
            if case .end = try connection.receive() { return reset() }
            guard let line = connection.nextLine() else { return nil }
            guard case .end(let end) = try ReplyLine(line).content else { return reset() }
            state = .idle
            if end.isOK { return end.output }
            self.connection = nil
            if !end.isTemporary { state = .over }
            return nil
        } catch {
            return reset()
        }
    }

    /// A socket may take one request a connection.
    private func reset() -> [UInt8]? {
        connection = nil
        state = .idle
        return nil
    }
}

extension ReplyLine.End {
    /// Whether the request did not run now and may run later, perhaps with another daemon.
    var isTemporary: Bool {
        switch error.flatMap(ErrorCode.init) {
        case .shuttingDown, .queueFull, .bufferFull, .tooManyConnections: status == nil
        default: false
        }
    }
}

// One request for `daemon:events`: passes on what stands on the board, as fast as its client reads.
import DokkuProtocol

/// Is told when a request for events has ended.
protocol SubscriberOwner: AnyObject {
    func didEnd(_ subscriber: Subscriber)
}

final class Subscriber {
    /// With this much unread by the client, the events stay on the board.
    private static let mark = 64 * 1024

    private enum State {
        /// The number of the next event, and how many before it were the viewer's to see.
        case reading(Int, passed: Int)
        case over
    }

    let isRestricted: Bool
    private let viewer: ListenerRules.Owner
    private let sink: any ReplySink
    private let reply: JSONReply
    private let board: Board
    private unowned let owner: any SubscriberOwner
    private var state: State

    init(
        _ client: any Requester, id: RequestID?, board: Board, owner: any SubscriberOwner
    ) {
        sink = client
        isRestricted = client.rules.isRestricted
        reply = JSONReply(id: id)
        self.board = board
        self.owner = owner
        viewer = client.rules.owner
        state = .reading(board.end, passed: board.count(before: board.end, for: viewer))
    }

    /// Tells first which jobs there are. Then it follows the board.
    func start(with jobs: [Job]) {
        let spool = Spool(account: sink.account, allowance: SpoolAccount.replyAllowance)
        var lost = 0
        for job in jobs {
            var json = JSONWriter()
            job.describeEvent(in: &json)
            do throws(Spool.Failure) {
                try spool.append { reply.appendEvent(json.bytes, to: &$0) }
            } catch {
                lost += 1
            }
        }
        sink.send(spool)
        sink.send { line in
            if lost > 0 { reply.appendLost(lost, to: &line) }
            reply.appendLive(to: &line)
        }
        board.enter(self)
    }

    private func readBoard() {
        while case .reading(let next, let passed) = state, next < board.end, !sink.hasGone,
            sink.unsentCount < Self.mark
        {
            sink.send { state = append(from: next, passed, to: &$0) }
        }
        if board.isClosed, position == board.end {
            sink.send { reply.appendRefusal(.shuttingDown, isStreamed: true, to: &$0) }
            end()
        }
    }

    /// Appends about as much as the client may have unread.
    private func append(from position: Int, _ passed: Int, to line: inout [UInt8]) -> State {
        let start = line.count
        var (next, passed) = (position, passed)
        if next < board.first {
            next = board.first
            let all = board.count(before: next, for: viewer)
            if all > passed { reply.appendLost(all - passed, to: &line) }
            passed = all
        }
        while line.count - start < Self.mark, next < board.end {
            if let event = board.event(next, for: viewer) {
                reply.appendEvent(event, to: &line)
                passed += 1
            }
            next += 1
        }
        return .reading(next, passed: passed)
    }

    private func end() {
        if case .over = state { return }
        state = .over
        board.leave(self)
        owner.didEnd(self)
        sink.didAnswer(self)
    }
}

extension Subscriber: BoardReader {
    var position: Int {
        switch state {
        case .reading(let next, _): next
        case .over: .max
        }
    }

    func boardDidChange() { readBoard() }
}

extension Subscriber: OpenRequest {
    var isPlain: Bool { false }

    func clientDidLeave() { end() }

    func readerDidAdvance() {
        if position >= board.end { return }
        readBoard()
        board.forgetRead()
    }
}

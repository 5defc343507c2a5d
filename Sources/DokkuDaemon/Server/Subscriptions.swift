// All requests for `daemon:events`: how many there may be, and what each is told first.
import DokkuProtocol

final class Subscriptions {
    private static let limit = 16

    private let board: Board
    private let executor: Executor
    private var admission = Admission(limit: limit)

    init(_ board: Board, executor: Executor) {
        self.board = board
        self.executor = executor
    }

    /// Replaces the request by one that ends with its client, or when the daemon has stopped.
    func begin(_ incoming: Incoming) throws(Refusal) {
        if executor.isStopping { throw .shuttingDown }
        let client = incoming.client
        let isRestricted = client.rules.isRestricted
        guard admission.hasRoom(isRestricted: isRestricted) else {
            throw Refusal(
                code: .queueFull, text: "Too many clients follow the events already (limit \(Self.limit))")
        }
        admission.enter(isRestricted: isRestricted)
        let subscriber = Subscriber(client, id: incoming.id, board: board, owner: self)
        client.didOpen(subscriber)
        client.didAnswer(incoming.responder)
        let viewer = client.rules.owner
        subscriber.start(with: (executor.running + executor.waiting).filter { viewer.sees($0.peer.owner) })
    }
}

extension Subscriptions: SubscriberOwner {
    func didEnd(_ subscriber: Subscriber) { admission.leave(isRestricted: subscriber.isRestricted) }
}

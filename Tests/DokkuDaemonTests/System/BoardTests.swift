// Events for several readers: kept once, for as long as one of them wants them, and not beyond the limit.
import DokkuProtocol
import Testing

@testable import DokkuDaemon

private final class Reader: BoardReader {
    var position: Int
    private(set) var calls = 0
    /// Reads at once whatever comes.
    var isFast = true
    private let board: Board

    init(_ board: Board) {
        self.board = board
        position = board.end
        board.enter(self)
    }

    func boardDidChange() {
        calls += 1
        if isFast { position = board.end }
    }
}

@Suite struct BoardTests {
    private let board = Board()

    private func post(_ count: Int = 1, bytes: Int = 100) {
        for _ in 0..<count { board.post { $0.add("x", String(repeating: "y", count: bytes - 6)) } }
    }

    @Test func `without a reader nothing is written`() {
        board.post { _ in Issue.record("was called") }
        #expect(board.end == 0)
    }

    @Test func `what all have read is forgotten`() {
        let fast = Reader(board)
        let slow = Reader(board)
        slow.isFast = false
        post(3)
        #expect(fast.position == 3 && fast.calls == 3 && slow.calls == 3)
        #expect(board.first == 0 && board.event(2, for: .host) != nil && board.event(3, for: .host) == nil)
        slow.position = 2
        board.forgetRead()
        #expect(
            board.first == 2
                && board.event(2, for: .host) == Array(#""x":"\#(String(repeating: "y", count: 94))""#.utf8))
        board.leave(slow)
        #expect(board.first == 3 && board.end == 3)
        board.leave(fast)
        post()
        #expect(board.end == 3)
    }

    @Test func `who is too far behind loses the oldest`() {
        let slow = Reader(board)
        slow.isFast = false
        let count = Board.limit / 100
        post(count)
        #expect(board.first == 0)
        post(10)
        #expect(board.first == 10 && board.end == count + 10)
        // A large event takes the room of several.
        post(bytes: 1000)
        #expect(board.first == 20)
    }

    @Test func `each sees its own and what is for all, and its own are counted`() {
        let slow = Reader(board)
        slow.isFast = false
        let owners: [ListenerRules.Owner?] = [
            .host, .user("ci"), nil, .user("other"), .user("ci"), .list("ci"),
        ]
        for owner in owners { board.post(about: owner) { $0.add("x", "y") } }
        func seen(_ viewer: ListenerRules.Owner) -> [Int] {
            (0..<owners.count).filter { board.event($0, for: viewer) != nil }
        }
        #expect(seen(.host) == Array(0..<6))
        #expect(seen(.user("ci")) == [1, 2, 4])
        #expect(seen(.list("ci")) == [2, 5])
        slow.position = 3
        for _ in 0..<2 {
            #expect(board.count(before: 4, for: .host) == 4 && board.count(before: 6, for: .host) == 6)
            #expect(board.count(before: 4, for: .user("ci")) == 2)
            #expect(board.count(before: 6, for: .user("ci")) == 3)
            #expect(board.count(before: 6, for: .list("other")) == 1)
            board.forgetRead()
            #expect(board.first == 3)
        }
    }

    @Test func `nothing comes after the end`() {
        let reader = Reader(board)
        reader.isFast = false
        post()
        board.close()
        board.close()
        post()
        #expect(reader.calls == 2 && board.end == 1 && board.event(0, for: .host) != nil)
    }
}

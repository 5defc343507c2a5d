// The tables and the board: what they show, how wide they are, and what remains when events are lost.
import DokkuProtocol
import Testing

@Suite struct BoardTests {
    private func job(
        _ number: UInt64, _ command: String = "x", _ state: JobReport.State = .waiting
    ) -> JobReport {
        JobReport(
            state: state, job: number, command: command, client: .init(pid: 7, uid: 0, name: "ci"),
            queuedAt: 10,
            startedAt: state == .waiting ? nil : 20)
    }

    private func lines(_ board: Board, _ columns: Int = 80, _ rows: Int = 24) -> [String] {
        board.lines(columns: columns, rows: rows, now: 60, hasColours: false)
    }

    @Test func `a job is on the board from its beginning to its end`() {
        var board = Board()
        board.take(.job(job(1, "ps:rebuild blog")), now: 60)
        #expect(lines(board)[0] == "=====> 0 running, 1 waiting")
        #expect(lines(board)[2].split(separator: " ").prefix(4) == ["1", "waiting", "50", "s"])
        board.take(.job(job(1, "ps:rebuild blog", .running)), now: 60)
        #expect(lines(board)[0] == "=====> 1 running, 0 waiting" && lines(board)[2].contains("running  40 s"))
        let end = JobReport.Ending(date: 50, isOK: false, status: .exited(3), ran: .seconds(30))
        board.take(.job(job(1, "ps:rebuild blog", .ended(end))), now: 60)
        #expect(
            lines(board)[2].contains("status 3  30 s  10 s ago")
                && lines(board)[2].hasSuffix("ps:rebuild blog"))
    }

    @Test(arguments: [1, 5, 20, 200], [1, 2, 3, 5, 24])
    func `it fits into any window`(columns: Int, rows: Int) {
        var board = Board()
        for number in 1...40 {
            board.take(.job(job(UInt64(number), "日本 \(number)", number < 5 ? .running : .waiting)), now: 60)
        }
        for text in ["a", "b", "c", "d"] { board.lose(text, now: 60) }
        for number in 1...40 { board.take(.job(job(UInt64(number), "日本 \(number)")), now: 60) }
        let lines = lines(board, columns, rows)
        #expect(lines.count <= rows)
        for line in lines { #expect(Printable.columns(line) <= columns, "\(line)") }
        if rows > 4, columns > 20 { #expect(lines.contains { $0.hasPrefix("… and ") }) }
    }

    @Test func `lost events leave no job behind that has ended`() {
        var board = Board()
        board.take(.job(job(1, "a", .running)), now: 60)
        board.take(.job(job(2, "b")), now: 60)
        #expect(!board.isUncertain)
        board.take(.lost(count: 5), now: 60)
        #expect(board.isUncertain && lines(board).contains { $0.contains("5 events are missing") })
        // A job that the queue was too early for.
        board.take(.job(job(4, "d")), now: 60)
        board.take(queue: [job(2, "b", .running), job(3, "c")])
        let shown = lines(board)
        #expect(!board.isUncertain && shown[0] == "=====> 0 running, 3 waiting")
    }

    @Test func `a text that comes again and again is there once`() {
        var board = Board()
        for second in 0..<5 { board.lose("no daemon", now: Int64(second)) }
        #expect(lines(board).filter { $0.contains("no daemon") } == ["00:00:00 no daemon"])
    }

    @Test func `cells stand below each other`() {
        var table = Table(["A", "B", "C"])
        table.add([.init("日本"), .init(""), .init("x\u{1B}[1m", .red)])
        table.add([.init("long one"), .init(""), .init("y")])
        #expect(table.lines() == ["A         C", "日本      x?[1m", "long one  y"])
        #expect(table.lines(hasHeader: false, hasColours: true)[0] == "日本      \u{1B}[31mx?[1m\u{1B}[0m")
        #expect(table.lines(width: 11)[1] == "日本      …")
        #expect(Table(["A", "B"]).lines() == ["A  B"])
    }

    @Test func `each event is a line`() {
        func text(_ event: HappeningEvent) -> String { EventList.text(event, now: 0) }
        #expect(text(.live) == "1970-01-01T00:00:00Z live")
        #expect(text(.lost(count: 2)) == "1970-01-01T00:00:00Z 2 events are missing here")
        #expect(text(.job(job(3, "a\nb"))) == "1970-01-01T00:00:10Z queued 3 a?b")
        #expect(text(.job(job(3, "a", .running))) == "1970-01-01T00:00:20Z started 3 a")
        let end = JobReport.Ending(date: 50, isOK: false, error: "cancelled")
        #expect(text(.job(job(3, "a", .ended(end)))) == "1970-01-01T00:00:50Z ended 3 a [cancelled]")
    }
}

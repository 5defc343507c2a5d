// A request for events, stepped by hand: what it is told first, and what becomes of it if its client does not read.
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite final class SubscriberTests: SubscriberOwner {
    private let folder: Folder
    private let board = Board()
    private let client: FakeRequester
    private var ends = 0

    init() throws {
        folder = try Folder()
        client = FakeRequester(folder)
    }

    func didEnd(_ subscriber: Subscriber) { ends += 1 }

    private func subscribe(_ jobs: [Job] = [], id: RequestID? = .number(1)) -> Subscriber {
        let subscriber = Subscriber(client, id: id, board: board, owner: self)
        client.didOpen(subscriber)
        subscriber.start(with: jobs)
        return subscriber
    }

    private func post(_ numbers: ClosedRange<Int>) {
        for number in numbers { board.post { $0.add("event", "\(number)") } }
    }

    @Test func `jobs come first and then what happens`() {
        let job = Job.sample(7)
        let subscriber = subscribe([job])
        post(1...2)
        let lines = client.takeLines()
        #expect(
            lines.first
                == #"{"id":1,"event":"job","state":"queued","job":7,"command":"apps:list","client":"#
                + #"{"pid":1,"uid":2,"gid":3,"listener":"/s"},"queued_at":\#(job.queuedDate)}"#)
        #expect(
            lines.dropFirst() == [
                #"{"id":1,"event":"live"}"#, #"{"id":1,"event":"1"}"#, #"{"id":1,"event":"2"}"#,
            ])
        #expect(subscriber.position == 2 && board.first == 2)
    }

    @Test func `a job that was ended says why`() {
        let job = Job.sample(7)
        job.interrupt(Refusal(code: .cancelled, text: "hush"))
        _ = subscribe([job], id: nil)
        let line = client.takeLines().first ?? ""
        #expect(
            line.contains(#""state":"ended","job":7,"#)
                && line.contains(#","ok":false,"error":"cancelled","queued_ms":0,"#))
        #expect(!line.contains("exit_status") && !line.contains("hush") && !line.contains("started_at"))
    }

    @Test func `a slow client's events wait on the board`() {
        let subscriber = subscribe()
        _ = client.takeLines()
        client.unsentCount = 1 << 20
        post(1...3)
        #expect(client.takeLines() == [] && subscriber.position == 0 && board.first == 0)
        client.unsentCount = 0
        subscriber.readerDidAdvance()
        #expect(client.takeLines().count == 3 && subscriber.position == 3 && board.first == 3)
    }

    @Test func `what was lost is counted`() {
        let subscriber = subscribe()
        _ = client.takeLines()
        client.unsentCount = 1 << 20
        // Each of them has 14 or more bytes.
        post(100_001...200_000)
        let lost = board.first
        #expect(lost > 0)
        client.unsentCount = 0
        subscriber.readerDidAdvance()
        let lines = client.takeLines()
        #expect(lines.first == #"{"id":1,"event":"lost","count":\#(lost)}"#)
        #expect(lines[1] == #"{"id":1,"event":"\#(100_001 + lost)"}"#)
        #expect(lines.last == #"{"id":1,"event":"200000"}"#)
        #expect(lines.count == 1 + 100_000 - lost && board.first == 100_000)
    }

    @Test func `jobs for which there is no room are counted as lost`() {
        // The first 64 KiB of a reply find room always.
        #expect(client.account.budget.take(1 << 20))
        let jobs = (1...1000).map { Job.sample($0) }
        _ = subscribe(jobs)
        let lines = client.takeLines()
        let lost = lines.dropLast().last ?? ""
        #expect(lines.count > 300 && lines.count < 600)
        #expect(lost == #"{"id":1,"event":"lost","count":\#(1000 - (lines.count - 2))}"#)
        #expect(lines.last == #"{"id":1,"event":"live"}"#)
    }

    @Test func `it ends once when its client leaves`() {
        let subscriber = subscribe()
        subscriber.clientDidLeave()
        subscriber.clientDidLeave()
        post(1...1)
        #expect(ends == 1 && client.open.isEmpty && board.end == 0)
    }

    @Test func `a closed board is read to its end`() {
        let subscriber = subscribe()
        _ = client.takeLines()
        client.unsentCount = 1 << 20
        post(1...1)
        board.close()
        #expect(client.takeLines() == [] && ends == 0)
        client.unsentCount = 0
        subscriber.readerDidAdvance()
        let lines = client.takeLines()
        #expect(lines.count == 2 && lines[0] == #"{"id":1,"event":"1"}"#)
        #expect(
            lines[1]
                == #"{"id":1,"event":"end","ok":false,"error":"shutting_down","output":"The daemon is stopping"}"#
        )
        #expect(ends == 1 && client.open.isEmpty)
    }
}

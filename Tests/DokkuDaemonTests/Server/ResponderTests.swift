// What becomes of a job, told as lines to a reader that may be slow or gone.
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct ResponderTests {
    private let folder: Folder
    private let sink: FakeRequester

    init() throws {
        folder = try Folder()
        sink = FakeRequester(folder)
    }

    private func request(_ change: (inout JSONRequest) -> Void = { _ in }) -> JSONRequest {
        var request = JSONRequest()
        request.id = .number(7)
        change(&request)
        return request
    }

    private func output(_ text: String, to responder: any Responder, _ job: Job) {
        let bytes = Array(text.utf8)
        responder.job(job, didOutput: bytes.span, on: .standardOutput)
    }

    @Test func `a plain reply is one line at the end`() {
        let responder = PlainResponder(sink, keepsAnsi: false)
        let job = Job.sample(observer: responder)
        defer { job.interrupt(.shuttingDown) }
        #expect(responder.jobWasAccepted(job, place: QueuePlace(position: 1)))
        responder.jobDidStart(job)
        output("\u{1b}[1mone\u{1b}[0m\n", to: responder, job)
        output("two\n\n", to: responder, job)
        #expect(sink.takeLines() == [])
        job.interrupt(.shuttingDown)
        #expect(sink.takeLines() == [#"{"ok":false,"output":"one\ntwo\nThe daemon is stopping"}"#])
    }

    @Test func `nothing is kept for a reader that has gone`() {
        let responder = PlainResponder(sink, keepsAnsi: true)
        let job = Job.sample(observer: responder)
        defer { job.interrupt(.shuttingDown) }
        sink.hasGone = true
        output(String(repeating: "x", count: 200_000), to: responder, job)
        #expect(sink.account.budget.used == 0 && job.failure == nil)
    }

    @Test func `a reply that cannot be kept is cut and says so`() {
        let responder = PlainResponder(sink, keepsAnsi: false)
        let job = Job.sample(observer: responder)
        defer { job.interrupt(.shuttingDown) }
        output("first", to: responder, job)
        output(String(repeating: "x", count: 2 << 20), to: responder, job)
        #expect(job.failure?.isOutputCut == true)
    }

    @Test func `a stream tells each step`() {
        let responder = JSONResponder(sink, request { $0.isStreamed = true })
        let job = Job.sample(5, observer: responder)
        defer { job.interrupt(.shuttingDown) }
        #expect(responder.jobWasAccepted(job, place: QueuePlace(position: 3)))
        responder.jobDidStart(job)
        output("a\n", to: responder, job)
        #expect(
            sink.takeLines() == [
                #"{"id":7,"event":"queued","job":5,"position":3}"#, #"{"id":7,"event":"started","job":5}"#,
                #"{"id":7,"event":"output","stream":"stdout","data":"a\n"}"#,
            ])
    }

    /// What runs at once has no place to tell.
    @Test func `a command that does not wait is not queued`() {
        let responder = JSONResponder(sink, request { $0.isStreamed = true })
        let job = Job.sample(5, .sample(lane: .beside), observer: responder)
        defer { job.interrupt(.shuttingDown) }
        #expect(responder.jobWasAccepted(job, place: QueuePlace(position: 0)))
        #expect(sink.takeLines() == [])
    }

    @Test(arguments: [
        (Lane.queue, false, true), (.queue, true, false), (.follow, false, false), (.beside, true, false),
    ])
    func `a client that has gone may still want its command`(lane: Lane, endsWithClient: Bool, isWanted: Bool)
    {
        let responder = JSONResponder(sink, request { $0.endsWithClient = endsWithClient })
        sink.hasGone = true
        let job = Job.sample(1, .sample(lane: lane), observer: responder)
        defer { job.interrupt(.shuttingDown) }
        #expect(responder.jobWasAccepted(job, place: QueuePlace(position: 1)) == isWanted)
        #expect(job.failure == nil)
    }

    @Test(arguments: [(Lane.queue, true), (.follow, false)])
    func `a slow reader cuts a command that ends and holds up an endless one`(lane: Lane, isCut: Bool) {
        let responder = JSONResponder(sink, request { $0.isStreamed = true })
        let job = Job.sample(1, .sample(lane: lane), observer: responder)
        defer { job.interrupt(.shuttingDown) }
        sink.takesMore = false
        output("a", to: responder, job)
        #expect((job.failure?.isOutputCut ?? false) == isCut)
        sink.unsentCount = 2 << 20
        #expect(!responder.wantsOutput)
        sink.unsentCount = 1
        #expect(responder.wantsOutput)
        sink.isOverfull = true
        #expect(!responder.wantsOutput)
        sink.unsentCount = 0
        #expect(responder.wantsOutput)
    }

    @Test func `an answer opens and closes the request`() {
        let responder = JSONResponder(sink, request())
        sink.didOpen(responder)
        responder.answer("text")
        #expect(sink.open.isEmpty)
        #expect(
            sink.takeLines() == [
                #"{"id":7,"ok":true,"exit_status":0,"output":"text","queued_ms":0,"run_ms":0}"#
            ])
    }
}

// What is said of a job that waits.
import DokkuProtocol
import Testing

@Suite struct WaitTextTests {
    private static let client = JobReport.Client(pid: 1, uid: 0)

    private func job(
        _ number: UInt64, _ command: String, _ state: JobReport.State = .waiting,
        _ obstacle: JobReport.Obstacle? = nil, runsWith: UInt64? = nil
    ) -> JobReport {
        JobReport(
            state: state, job: number, command: command, client: Self.client, queuedAt: 0,
            startedAt: state == .running ? 60 : nil, runsWith: runsWith, obstacle: obstacle)
    }

    private func text(_ event: QueuedEvent?, _ queue: [JobReport]?) -> String {
        WaitText(job: 12, event: event, queue: queue).text(after: 40, date: 100)
    }

    @Test func `before the queue is known`() {
        #expect(text(nil, nil) == "waiting, 40 s")
        #expect(text(QueuedEvent(job: 12, position: 1), nil) == "waiting for its turn, 40 s")
        #expect(text(QueuedEvent(job: 12, position: 3), nil) == "waiting for its turn, 40 s; 2 before you")
        #expect(
            text(QueuedEvent(job: 12, position: 2, waitsFor: 11), nil)
                == "waiting behind job 11, 40 s; 2 before you")
        #expect(
            text(QueuedEvent(job: 12, position: 2, runsWith: 11), nil)
                == "waiting with job 11, which asks the same, 40 s")
    }

    @Test func `behind what runs`() {
        let running = job(10, "ps:rebuild blog", .running)
        #expect(
            text(nil, [running, job(12, "x", .waiting, .job(10))])
                == "waiting behind ps:rebuild blog, 40 s")
        #expect(
            text(nil, [running, job(11, "y", .waiting, .job(10)), job(12, "x", .waiting, .job(11))])
                == "waiting behind ps:rebuild blog, 40 s; 2 before you")
        #expect(
            text(
                nil, [running, job(11, "y", .waiting, .job(10)), job(12, "y", runsWith: 11)])
                == "waiting behind ps:rebuild blog, 40 s")
        // Its own job may be the one that is asked about.
        #expect(text(nil, [job(12, "ps:rebuild blog", .running)]) == "ps:rebuild blog runs, 40 s")
    }

    @Test func `behind something else`() {
        #expect(text(nil, [job(12, "x", .waiting, .turn)]) == "waiting for its turn, 40 s")
        #expect(
            text(nil, [job(11, "y", .waiting, .turn), job(12, "x", .waiting, .turn)])
                == "waiting for its turn, 40 s; 1 before you")
        #expect(text(nil, [job(12, "x", .waiting, .disk)]) == "waiting for the disk, 40 s")
        #expect(text(nil, [job(12, "x", .waiting, .lock(.init()))]) == "waiting for the lock, 40 s")
        #expect(
            text(
                nil,
                [
                    job(11, "y", .waiting, .lock(.init(pid: 7, name: "rsync"))),
                    job(12, "x", .waiting, .job(11)),
                ]) == "waiting for the lock that rsync (7) holds, 40 s; 1 before you")
        #expect(text(nil, [job(12, "x", .waiting, .job(3))]) == "waiting behind job 3, 40 s")
    }

    @Test func `a circle that no daemon tells ends`() {
        let circle = [job(11, "y", .waiting, .job(12)), job(12, "x", .waiting, .job(11))]
        #expect(text(nil, circle).hasPrefix("waiting"))
    }

    @Test func `a hostile name is harmless`() {
        let text = text(nil, [job(10, "\u{1B}[2Jx", .running), job(12, "x", .waiting, .job(10))])
        #expect(text == "waiting behind ?[2Jx, 40 s")
    }
}

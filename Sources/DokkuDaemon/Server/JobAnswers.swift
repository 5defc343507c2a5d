// The answers of the daemon's own commands about detached jobs.
import DokkuProtocol

final class JobAnswers {
    private let executor: Executor
    private let archive: Archive
    private let followers: Followers
    private let timers: TimerQueue

    init(executor: Executor, archive: Archive, followers: Followers, timers: TimerQueue) {
        self.executor = executor
        self.archive = archive
        self.followers = followers
        self.timers = timers
    }

    /// Answers when the job has ended.
    func awaitEnd(of number: UInt64, _ responder: any Responder) {
        guard let job = archive.job(number) else { return responder.refuse(unknown(number)) }
        // A stopping daemon starts nothing more.
        if executor.isStopping, job.state == .waiting { return responder.refuse(.shuttingDown) }
        play(number, .untilEnd, responder)
    }

    /// Answers with the output that is there.
    func output(of number: UInt64, _ responder: any Responder) {
        guard let job = archive.job(number) else { return responder.refuse(unknown(number)) }
        play(number, .untilNow(bytes: job.outputCount), responder)
    }

    private func play(_ number: UInt64, _ extent: Playback.Extent, _ responder: any Responder) {
        Playback(
            of: number, extent, for: responder, archive: archive, followers: followers, timers: timers
        ).start()
    }

    func list(_ format: AnswerFormat) -> String {
        JobsListing(archive: archive, queue: QueueListing(executor: executor)).text(format)
    }

    /// How many results are kept.
    var keptCount: Int { archive.jobs.count { $0.ending != nil } }

    /// What is said when the job is forgotten.
    func forget(_ number: UInt64) -> Result<String, Refusal> {
        guard let job = archive.job(number) else { return .failure(unknown(number)) }
        guard job.ending != nil else {
            return .failure(.invalid("Job \(number) has not ended; daemon:cancel \(number) ends it"))
        }
        do throws(Refusal) {
            _ = try archive.forget(number)
            return .success("Forgot job \(number)")
        } catch {
            return .failure(error)
        }
    }

    private func unknown(_ number: UInt64) -> Refusal {
        if executor.job(number: number) == nil { return .unknownJob }
        return Refusal(
            code: .unknownJob, text: "Job \(number) is not detached: its result goes to its client alone")
    }
}

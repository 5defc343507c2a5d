// The observer of a detached job: what becomes of the job goes into the archive, for whoever asks later.
import DokkuProtocol
import Glibc

final class Recorder: JobObserver {
    private let archive: Archive
    private let followers: Followers
    private let input: StoredInput?

    /// `input` was written down before, and belongs to the job if that is accepted.
    init(archive: Archive, followers: Followers, input: StoredInput? = nil) {
        self.archive = archive
        self.followers = followers
        self.input = input
    }

    /// Output that finds no room is cut, so nothing is ever held back.
    var wantsOutput: Bool { true }

    func jobWillBeAccepted(_ job: Job) throws(Refusal) {
        try archive.insert(job, isRunning: !job.command.lane.waitsInQueue, input: input)
    }

    func jobWasAccepted(_ job: Job, place: @autoclosure () -> QueuePlace) -> Bool { true }

    /// A job whose start is not written down would run again after a crash.
    func jobMayStart(_ job: Job) -> Bool { (try? archive.markRunning(job.number)) != nil }

    /// A job whose end is not written down would run after a crash.
    func jobWillEnd(_ job: Job, _ reason: Refusal) throws(Refusal) {
        try archive.end(job.number, ending(of: job, JobFailure.add(end: reason, to: job.failure)))
    }

    func jobDidStart(_ job: Job) {}

    func job(_ job: any JobOutcome, didOutput bytes: Span<UInt8>, on stream: OutputStream) {
        do throws(Refusal) {
            try archive.append(bytes, stream: stream, to: job.number)
        } catch {
            job.truncate(error)
        }
        followers.jobDidWrite(job.number)
    }

    func jobDidEnd(_ job: any JobOutcome) {
        archive.markEnded(job.number, ending(of: job, job.failure))
        followers.jobDidEnd(job.number)
    }

    private func ending(of job: any JobOutcome, _ failure: JobFailure?) -> KeptJob.Ending {
        KeptJob.Ending(
            status: job.status, failure: failure, queued: job.queuedDuration, ran: job.runDuration,
            date: time(nil))
    }
}

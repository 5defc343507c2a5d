// The answers of the daemon's own commands about detached jobs.
import DokkuProtocol

final class JobAnswers {
    private let executor: Executor
    private let archive: Archive
    private let followers: Followers
    private let turns: Turns

    init(executor: Executor, archive: Archive, followers: Followers, turns: Turns) {
        self.executor = executor
        self.archive = archive
        self.followers = followers
        self.turns = turns
    }

    /// Answers when the job has ended.
    func awaitEnd(of number: UInt64, _ incoming: Incoming) {
        do throws(Refusal) {
            let job = try find(number, for: incoming.client)
            // A stopping daemon starts nothing more.
            if executor.isStopping, job.state == .waiting { throw .shuttingDown }
            play(number, .untilEnd, incoming)
        } catch {
            incoming.responder.refuse(error)
        }
    }

    /// Answers with the output that is there.
    func output(of number: UInt64, _ incoming: Incoming) {
        do throws(Refusal) {
            let job = try find(number, for: incoming.client)
            // What runs knows first that its output was cut.
            let failure = executor.job(number: number)?.failure ?? job.ending?.failure
            play(number, .untilNow(bytes: job.outputCount, cut: failure?.cut), incoming)
        } catch {
            incoming.responder.refuse(error)
        }
    }

    private func play(_ number: UInt64, _ extent: Playback.Extent, _ incoming: Incoming) {
        Playback(
            of: number, extent, for: incoming.responder, archive: archive, followers: followers, turns: turns,
            reservation: incoming.request.reservation
        ).start()
    }

    /// Throws if nobody knows which jobs are kept.
    func checkList() throws(Refusal) { try archive.checkReadable() }

    func list(_ format: AnswerFormat, for viewer: ListenerRules.Owner) -> String {
        JobsListing(archive: archive, queue: QueueListing(executor: executor, viewer: viewer)).text(format)
    }

    /// Grows whenever the list changes.
    var revision: Int { executor.revision + archive.revision }

    /// What is said when the job is forgotten.
    func forget(_ number: UInt64, for client: any Requester) -> Result<String, Refusal> {
        do throws(Refusal) {
            guard try find(number, for: client).ending != nil else {
                throw .invalid("Job \(number) has not ended; daemon:cancel \(number) ends it")
            }
            _ = try archive.forget(number)
            return .success("Forgot job \(number)")
        } catch {
            return .failure(error)
        }
    }

    /// To a client that may not see a job, there is none.
    private func find(_ number: UInt64, for client: any Requester) throws(Refusal) -> KeptJob {
        let viewer = client.rules.owner
        do throws(Refusal) {
            let job = try archive.find(number)
            if viewer.sees(job.peer.owner) { return job }
            throw .unknownJob
        } catch {
            guard error.code == .unknownJob, let job = executor.job(number: number),
                viewer.sees(job.peer.owner)
            else { throw error }
            throw Refusal(
                code: .unknownJob,
                text: "Job \(number) is not detached: its result goes to its client alone")
        }
    }
}

// The answer to `daemon:queue`: what runs and what waits, for people and for programs.
import DokkuProtocol
import Glibc

struct QueueListing {
    let executor: Executor
    /// Who asks. Only jobs that it sees are listed, and nothing is told of others.
    var viewer = ListenerRules.Owner.host

    private var running: [Job] { executor.running.filter(isSeen) }

    private var waiting: [(job: Job, obstacle: Obstacle?)] {
        executor.obstacles.filter { isSeen($0.job) }.map { job, obstacle in
            (job, obstacle.map { executor.seen($0, by: viewer) })
        }
    }

    private func isSeen(_ job: Job) -> Bool { viewer.sees(job.peer.owner) }

    func text(_ format: AnswerFormat) -> String {
        switch format {
        case .text: lines.joined(separator: "\n")
        case .json: json
        }
    }

    /// One for each job.
    var lines: [String] {
        let running = running.map { job in
            line(job, "running", since: job.startedDate, job.lead.map { "runs with job \($0)" })
        }
        let waiting = waiting.map { job, obstacle in
            line(job, "waiting", since: job.queuedDate, obstacle.map(note))
        }
        return running + waiting
    }

    private func line(_ job: Job, _ state: String, since date: time_t, _ note: String?) -> String {
        "\(job.number) \(state) since \(AuditLog.format(date)) pid=\(job.peer.pid) uid=\(job.peer.uid) \(job.title)"
            + (note.map { " [\($0)]" } ?? "")
    }

    private func note(_ obstacle: Obstacle) -> String {
        switch obstacle {
        case .job(let other): "waits for job \(other)"
        case .run(of: let other): "runs with job \(other)"
        case .turn: "waits for its turn"
        case .disk: "waits for the disk"
        case .lock: "waits for \(executor.lockWait.map { "\($0)" } ?? "the lock")"
        }
    }

    private var json: String {
        var json = JSONWriter()
        json.addArray(nil, add(to:))
        return json.text
    }

    /// Adds an object for each job.
    func add(to json: inout JSONWriter) {
        for job in running { json.addObject { job.describe(as: "running", in: &$0) } }
        for (job, obstacle) in waiting {
            json.addObject { json in
                job.describe(as: "waiting", in: &json)
                if let obstacle { describe(obstacle, in: &json) }
            }
        }
    }

    private func describe(_ obstacle: Obstacle, in json: inout JSONWriter) {
        switch obstacle {
        case .job(let other): json.add("waits_for", other)
        case .run(of: let other): json.add("runs_with", other)
        case .turn: json.add("waits_for_turn", true)
        case .disk: json.add("waits_for_disk", true)
        case .lock: json.addObject("waits_for_lock") { executor.lockWait?.describe(in: &$0) }
        }
    }
}

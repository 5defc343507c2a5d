// The answer to `daemon:jobs`: the results that are kept, and then what runs and waits.
import DokkuProtocol
import Glibc

struct JobsListing {
    let archive: Archive
    let queue: QueueListing

    func text(_ format: AnswerFormat) -> String {
        switch format {
        case .text: (kept.map(line) + queue.lines).joined(separator: "\n")
        case .json: json
        }
    }

    private var kept: [(job: KeptJob, ending: KeptJob.Ending)] {
        archive.jobs.compactMap { job in
            queue.viewer.sees(job.peer.owner) ? job.ending.map { (job, $0) } : nil
        }
    }

    private func line(_ job: KeptJob, _ ending: KeptJob.Ending) -> String {
        var words = ["\(job.number) ended at \(AuditLog.format(ending.date))"]
        switch ending.status {
        case .exited(let status): words.append("status=\(status)")
        case .signalled(let signal): words.append("signal=\(signal)")
        case nil: break
        }
        if let failure = ending.failure { words.append("error=\(failure.reason.code.rawValue)") }
        words.append("pid=\(job.peer.pid) uid=\(job.peer.uid) \(job.title)")
        return words.joined(separator: " ")
    }

    private var json: String {
        var json = JSONWriter()
        json.addArray { json in
            for (job, ending) in kept { json.addObject { describe(job, ending, in: &$0) } }
            queue.add(to: &json)
        }
        return json.text
    }

    private func describe(_ job: KeptJob, _ ending: KeptJob.Ending, in json: inout JSONWriter) {
        json.add("state", "ended")
        json.add("job", job.number)
        json.add("command", job.title)
        json.addObject("client", job.peer.describe)
        json.add("queued_at", job.queuedDate)
        if job.startedDate != 0 { json.add("started_at", job.startedDate) }
        json.add("detached", true)
        json.add("ended_at", ending.date)
        json.add("ok", ending.isSuccess)
        json.add(ending.status)
        if let failure = ending.failure { json.add("error", failure.reason.code.rawValue) }
        json.add("queued_ms", ending.queued.wholeMilliseconds)
        json.add("run_ms", ending.ran.wholeMilliseconds)
        json.add("output_bytes", job.outputCount)
    }
}

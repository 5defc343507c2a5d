// What a waiting or running job is said to do, in a line.
import DokkuProtocol

struct WaitText {
    let job: UInt64
    /// What the daemon said when it accepted the job.
    var event: QueuedEvent?
    /// The queue, if the daemon tells.
    var queue: [JobReport]?

    /// `seconds`: how long it has waited. `date`: now.
    func text(after seconds: Int64, date: Int64) -> String {
        let time = Spell.duration(seconds)
        guard let own = queue?.first(where: { $0.job == job }) else { return early(time) }
        if own.state == .running {
            return "\(name(of: own)) runs, \(Spell.duration(date - (own.startedAt ?? date)))"
        }
        let (head, before) = end(from: own)
        if head.job != own.job, head.state == .running {
            return "waiting behind \(name(of: head)), \(time)" + count(before, unless: 1)
        }
        switch head.obstacle {
        case .lock(let holder): return "waiting for the lock\(suffix(holder)), \(time)" + count(before)
        case .disk: return "waiting for the disk, \(time)" + count(before)
        case .job(let other): return "waiting behind job \(other), \(time)" + count(before)
        case .turn, nil: return "waiting for its turn, \(time)" + count(max(before, ahead(of: own)))
        }
    }

    /// While the queue is not known.
    private func early(_ time: String) -> String {
        guard let event else { return "waiting, \(time)" }
        if let other = event.waitsFor {
            return "waiting behind job \(other), \(time)" + count(event.position, unless: 1)
        }
        if let other = event.runsWith { return "waiting with job \(other), which asks the same, \(time)" }
        return "waiting for its turn, \(time)" + count(event.position - 1)
    }

    /// Whom everybody before this job waits for, and how many those are.
    private func end(from own: JobReport) -> (head: JobReport, before: Int) {
        var (head, before) = (own, 0)
        var seen: Set<UInt64> = [own.job]
        while true {
            let next: UInt64
            if case .job(let other) = head.obstacle {
                next = other
            } else if head.state == .waiting, head.obstacle == nil, let lead = head.runsWith {
                next = lead
            } else {
                return (head, before)
            }
            guard seen.insert(next).inserted, let report = queue?.first(where: { $0.job == next }) else {
                return (head, before)
            }
            if head.obstacle != nil { before += 1 }
            head = report
        }
    }

    private func ahead(of own: JobReport) -> Int {
        (queue ?? []).prefix { $0.job != own.job }.count { $0.state == .waiting }
    }

    private func count(_ before: Int, unless hidden: Int = 0) -> String {
        before > hidden ? "; \(before) before you" : ""
    }

    private func suffix(_ holder: JobReport.Holder) -> String {
        switch (holder.name, holder.pid) {
        case (let name?, let pid?): " that \(Printable.text(name)) (\(pid)) holds"
        case (let name?, nil): " that \(Printable.text(name)) holds"
        case (nil, let pid?): " that process \(pid) holds"
        case (nil, nil): ""
        }
    }

    private func name(of report: JobReport) -> String { Printable.text(report.command) }
}

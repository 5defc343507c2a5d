// What a line about a job says: in listings, on the board and in the list of events.
import DokkuProtocol

struct JobTable {
    /// Seconds since 1970.
    let now: Int64
    private var table: Table

    /// Not all listings tell of jobs that have ended.
    init(now: Int64) {
        self.now = now
        table = Table(["JOB", "STATE", "TIME", "ENDED", "OUTPUT", "FROM", "WAITS FOR", "COMMAND"])
    }

    mutating func add(_ report: JobReport) {
        let state = Self.state(of: report)
        table.add([
            Table.Cell("\(report.job)"), state, Table.Cell(time(of: report)), Table.Cell(age(of: report)),
            Table.Cell(Self.size(of: report)), Table.Cell(Self.sender(of: report)),
            Table.Cell(Self.obstacle(of: report)), Table.Cell(report.command),
        ])
    }

    func lines(width: Int?, hasHeader: Bool, hasColours: Bool) -> [String] {
        table.lines(width: width, hasHeader: hasHeader, hasColours: hasColours)
    }

    static func state(of report: JobReport) -> Table.Cell {
        switch report.state {
        case .waiting: Table.Cell("waiting", .yellow)
        case .running: Table.Cell("running", .cyan)
        case .ended(let end): Table.Cell(result(end), end.isOK ? .green : .red)
        }
    }

    /// `ok`, or why not.
    static func result(_ end: JobReport.Ending) -> String {
        if end.isOK { return "ok" }
        if let error = end.error { return error }
        switch end.status {
        case .exited(let status): return "status \(status)"
        case .signalled(let name): return name
        case nil: return "failed"
        }
    }

    /// How long it has waited, or has run.
    func time(of report: JobReport) -> String {
        switch report.state {
        case .waiting: Spell.duration(now - report.queuedAt)
        case .running: Spell.duration(now - (report.startedAt ?? report.queuedAt))
        case .ended(let end): end.status == nil && end.ran == .zero ? "" : Spell.duration(end.ran)
        }
    }

    private func age(of report: JobReport) -> String {
        guard case .ended(let end) = report.state else { return "" }
        return Spell.duration(now - end.date) + " ago"
    }

    private static func size(of report: JobReport) -> String {
        guard case .ended(let end) = report.state, let count = end.outputCount else { return "" }
        return Spell.size(count)
    }

    private static func sender(of report: JobReport) -> String {
        "\(report.client.name ?? "uid \(report.client.uid)"), pid \(report.client.pid)"
    }

    private static func obstacle(of report: JobReport) -> String {
        switch report.obstacle {
        case .job(let other): return "job \(other)"
        case .turn: return "its turn"
        case .disk: return "the disk"
        case .lock(let holder):
            guard let name = holder.name ?? holder.pid.map({ "pid \($0)" }) else { return "the lock" }
            return "the lock of \(name)"
        case nil: return report.runsWith.map { "the run of job \($0)" } ?? ""
        }
    }
}

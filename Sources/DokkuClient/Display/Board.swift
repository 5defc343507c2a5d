// What the live board of `daemon:events` shows: what runs and waits, and how the last ones have ended.
import DokkuProtocol

struct Board {
    private static let endedLimit = 50
    private static let noteLimit = 3

    private var jobs: [UInt64: JobReport] = [:]
    /// The newest first.
    private var ended: [JobReport] = []
    private var notes: [String] = []
    /// Events were lost, so the board may tell of jobs that have ended, until the queue is known again.
    private(set) var isUncertain = false
    /// The jobs that may be gone.
    private var doubtful: Set<UInt64> = []
    /// The connection has just begun.
    private var isBeginning = false

    mutating func take(_ event: HappeningEvent, now: Int64) {
        switch event {
        case .job(let report):
            doubtful.remove(report.job)
            guard case .ended = report.state else {
                jobs[report.job] = report
                return
            }
            jobs[report.job] = nil
            ended.insert(report, at: 0)
            if ended.count > Self.endedLimit { ended.removeLast() }
        case .refreshed(let commands, _): note("dokku's list was read: \(commands) commands", now)
        case .stopping: note("the daemon is stopping", now)
        case .lost(let count):
            note("\(count) events are missing", now)
            isUncertain = true
            doubtful = Set(jobs.keys)
        case .live: note("live", now)
        }
    }

    /// How it is with the queue, asked for after events were lost.
    mutating func take(queue: [JobReport]) {
        isUncertain = false
        let listed = Set(queue.map(\.job))
        for job in doubtful where !listed.contains(job) { jobs[job] = nil }
        for report in queue where jobs[report.job] == nil { jobs[report.job] = report }
        doubtful = []
    }

    /// Nothing more is known of what runs.
    mutating func lose(_ text: String, now: Int64) {
        jobs = [:]
        isUncertain = false
        doubtful = []
        note(text, now)
    }

    /// A text that comes again and again is there once, with its first time.
    private mutating func note(_ text: String, _ now: Int64) {
        let time = Spell.stamp(now).split(whereSeparator: { $0 == "T" || $0 == "Z" }).last ?? ""
        if let last = notes.last, last.hasSuffix(" \(Printable.line(text))") { return }
        notes.append("\(time) \(Printable.line(text))")
        if notes.count > Self.noteLimit { notes.removeFirst() }
    }

    /// As many lines as fit.
    func lines(columns: Int, rows: Int, now: Int64, hasColours: Bool) -> [String] {
        let running = jobs.values.filter { $0.state == .running }.sorted { $0.job < $1.job }
        let waiting = jobs.values.filter { $0.state == .waiting }.sorted { $0.job < $1.job }
        let title = Printable.cut("=====> \(running.count) running, \(waiting.count) waiting", to: columns)
        let notes = notes.suffix(max(0, min(Self.noteLimit, rows / 4))).map { Printable.cut($0, to: columns) }
        let space = max(0, rows - 1 - notes.count)
        var table = JobTable(now: now)
        let all = running + waiting + ended
        for report in all.prefix(max(0, space - 1)) { table.add(report) }
        var lines =
            all.isEmpty
            ? [] : table.lines(width: columns, hasHeader: true, hasColours: hasColours).prefix(space)
        let hidden = jobs.count - max(0, space - 1)
        if hidden > 0, lines.count > 1 {
            lines[lines.count - 1] = Printable.cut("… and \(hidden + 1) more that run or wait", to: columns)
        }
        return ([title] + lines + notes).prefix(rows).map { $0 }
    }
}

// Shows what the daemon tells of its jobs and of itself in JSON as tables for people.
import DokkuProtocol

final class Listing: Viewer {
    enum Subject: String {
        case queue = "daemon:queue"
        case jobs = "daemon:jobs"
        case status = "daemon:status"
        case version = "daemon:version"
    }

    private let subject: Subject
    private let screen: Screen
    private let hasHeader: Bool
    private var text: [UInt8] = []

    init(_ subject: Subject, on screen: Screen, hasHeader: Bool) {
        self.subject = subject
        self.screen = screen
        self.hasHeader = hasHeader
    }

    func shown(_ bytes: [UInt8], _ stream: OutputStream) -> [UInt8] {
        text += bytes
        return []
    }

    /// What is no such report, as a newer daemon may tell, is shown as it is.
    func ended() -> [UInt8] {
        guard let lines = lines(now: Clock.date) else { return text + [UInt8(ascii: "\n")] }
        return Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    func lines(now: Int64) -> [String]? {
        switch subject {
        case .queue, .jobs:
            return JobReport.all(in: text).map { reports in
                if reports.isEmpty, screen.isAlive {
                    return hasHeader ? ["Nothing runs and nothing waits."] : []
                }
                var table = JobTable(now: now)
                for report in reports { table.add(report) }
                return table.lines(
                    width: screen.isAlive ? screen.columns : nil, hasHeader: hasHeader,
                    hasColours: screen.hasColours)
            }
        case .status: return DaemonReport(text).map { facts(of: $0, now: now) }.map(report)
        case .version:
            return VersionReport(text).map {
                report([("Version", $0.version), ("Features", $0.features.joined(separator: ", "))])
            }
        }
    }

    private func facts(of daemon: DaemonReport, now: Int64) -> [(String, String)] {
        var facts = [
            ("Version", daemon.version),
            ("Up", "\(Spell.duration(now - daemon.startedAt)), since \(Spell.date(daemon.startedAt))"),
            ("Connections", "\(daemon.connections)"),
            ("Commands run", "\(daemon.commandsRun)"),
            ("Commands failed", "\(daemon.commandsFailed)"),
            ("Running", "\(daemon.running)"),
            ("Waiting", "\(daemon.waiting)"),
            ("Readers", "\(daemon.readers.busy) of \(daemon.readers.limit)"),
            ("Workers", "\(daemon.workers.busy) of \(daemon.workers.limit)"),
            (
                "Catalogue",
                daemon.catalogue.map {
                    "\($0.commands) commands, read \(Spell.duration(now - $0.readAt)) ago"
                } ?? "not read yet"
            ),
        ]
        if let lock = daemon.lock {
            let holder = [lock.holder.name, lock.holder.pid.map { "pid \($0)" }].compactMap { $0 }
            facts.append(
                (
                    "Waits for",
                    "the lock \(lock.path)"
                        + (holder.isEmpty ? "" : ", which \(holder.joined(separator: ", ")) holds")
                        + ", for \(Spell.duration(now - lock.since))"
                ))
        }
        return facts
    }

    /// As dokku's own reports look.
    private func report(_ facts: [(String, String)]) -> [String] {
        var table = Table([])
        for (name, value) in facts { table.add([Table.Cell("       \(name):"), Table.Cell(value)]) }
        return (hasHeader ? ["=====> dokku-daemon information"] : []) + table.lines()
    }
}

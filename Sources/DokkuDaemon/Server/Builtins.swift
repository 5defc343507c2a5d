// The answers of the daemon's own commands that need no waiting.
import DokkuProtocol
import Glibc

final class Builtins {
    private let executor: Executor
    private let catalogue: CatalogueKeeper
    private let account: SpoolAccount
    private let startDate = time(nil)
    /// Made once: it is what a client asks for to learn whether the daemon answers.
    private let versionLine = PlainReply.line(ok: true, output: version)
    private lazy var versionAnswer = SharedAnswer(version, account: account)
    private lazy var helpAnswer = SharedAnswer(DaemonHelp.help, account: account)
    /// The last answers, and what they were made of.
    private var queueAnswer: (revision: Int, answer: SharedAnswer)?
    private var commandsAnswer: (revision: Int, answer: SharedAnswer)?
    private let attendance: Attendance

    init(executor: Executor, catalogue: CatalogueKeeper, attendance: Attendance, account: SpoolAccount) {
        self.executor = executor
        self.catalogue = catalogue
        self.attendance = attendance
        self.account = account
    }

    /// The answer, or nil for what first has to be done or waited for.
    func answer(_ builtin: Builtin) -> SharedAnswer? {
        switch builtin {
        case .version: versionAnswer
        case .help: helpAnswer
        case .status: SharedAnswer(status(), account: account)
        case .queue: current(&queueAnswer, executor.revision, queue())
        case .commands, .refresh, .cancel: nil
        }
    }

    /// The listed commands, as far as they are known.
    func commands() -> SharedAnswer {
        current(
            &commandsAnswer, catalogue.revision,
            catalogue.current?.listedNames.joined(separator: "\n") ?? "")
    }

    /// The whole line that answers a plain request, for what is asked most often.
    func plainLine(_ builtin: Builtin) -> [UInt8]? { builtin == .version ? versionLine : nil }

    private func current(
        _ kept: inout (revision: Int, answer: SharedAnswer)?, _ revision: Int,
        _ text: @autoclosure () -> String
    ) -> SharedAnswer {
        if let kept, kept.revision == revision { return kept.answer }
        let answer = SharedAnswer(text(), account: account)
        kept = (revision, answer)
        return answer
    }

    private func status() -> String {
        let catalogueLine =
            catalogue.current.map { current in
                "\(current.listedNames.count) commands, read \(AuditLog.format(catalogue.readDate))"
                    + " (\(time(nil) - catalogue.readDate) s ago)"
            } ?? "not read yet"
        let lockLine =
            executor.lockWait.map { "\nwaits for: \($0), since \(AuditLog.format($0.since))" } ?? ""
        return """
            version: \(version)
            since: \(AuditLog.format(startDate))
            connections: \(attendance.count)
            commands run: \(executor.runCount)
            commands failed: \(executor.failureCount)
            running: \(executor.running.count)
            waiting: \(executor.waitingCount)
            catalogue: \(catalogueLine)\(lockLine)
            """
    }

    private func queue() -> String {
        let running = executor.running.map { describe($0, "running", since: $0.startedDate) }
        var waiting = executor.waiting.map { describe($0, "waiting", since: $0.queuedDate) }
        if let wait = executor.lockWait, !waiting.isEmpty { waiting[0] += " [waits for \(wait)]" }
        return (running + waiting).joined(separator: "\n")
    }

    private func describe(_ job: Job, _ state: String, since date: time_t) -> String {
        "\(job.number) \(state) since \(AuditLog.format(date)) pid=\(job.peer.pid) uid=\(job.peer.uid) \(job.title)"
    }
}

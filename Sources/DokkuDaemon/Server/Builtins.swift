// The answers of the daemon's own commands that need no waiting.
import Glibc

final class Builtins {
    private let executor: Executor
    private let catalogue: CatalogueKeeper
    private let startDate = time(nil)
    /// Made once: it is what a client asks for to learn whether the daemon answers.
    private let versionLine = PlainReply.line(ok: true, output: version)
    /// How many connections there are.
    var connectionCount: () -> Int = { 0 }

    init(executor: Executor, catalogue: CatalogueKeeper) {
        self.executor = executor
        self.catalogue = catalogue
    }

    /// The answer, or nil for what first has to be done or waited for.
    func answer(_ builtin: Builtin) -> String? {
        switch builtin {
        case .version: version
        case .help: DaemonHelp.help
        case .status: status()
        case .queue: queue()
        case .commands, .refresh, .cancel: nil
        }
    }

    /// The same as the reply to a plain line.
    func plainLine(_ builtin: Builtin) -> [UInt8]? {
        if builtin == .version { return versionLine }
        return answer(builtin).map { PlainReply.line(ok: true, output: $0) }
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
            connections: \(connectionCount())
            commands run: \(executor.runCount)
            commands failed: \(executor.failureCount)
            running: \(executor.running.count)
            waiting: \(executor.waiting.count)
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

// The answer to `daemon:status`, for people and for programs.
import DokkuProtocol
import Glibc

struct StatusReport {
    let executor: Executor
    let catalogue: CatalogueKeeper
    let connections: Int
    let startDate: time_t
    /// Who asks. Only the host is told who holds the lock.
    let viewer: ListenerRules.Owner

    private var lockWait: LockWait? { viewer == .host ? executor.lockWait : nil }

    func text(_ format: AnswerFormat) -> String {
        switch format {
        case .text: lines
        case .json: json
        }
    }

    private var lines: String {
        let catalogueLine =
            catalogue.current.map { current in
                "\(current.listedNames.count) commands, read \(AuditLog.format(catalogue.readDate))"
                    + " (\(time(nil) - catalogue.readDate) s ago)"
            } ?? "not read yet"
        let lockLine =
            lockWait.map { "\nwaits for: \($0), since \(AuditLog.format($0.since))" } ?? ""
        let load = executor.load
        return """
            version: \(version)
            since: \(AuditLog.format(startDate))
            connections: \(connections)
            commands run: \(executor.runCount)
            commands failed: \(executor.failureCount)
            running: \(executor.running.count)
            waiting: \(executor.waitingCount)
            readers: \(load.readers.0) of \(load.readers.of)
            workers: \(load.workers.0) of \(load.workers.of)
            catalogue: \(catalogueLine)\(lockLine)
            """
    }

    private var json: String {
        let load = executor.load
        var json = JSONWriter()
        json.addObject { json in
            json.add("version", version)
            json.add("started_at", startDate)
            json.add("connections", connections)
            json.add("commands_run", executor.runCount)
            json.add("commands_failed", executor.failureCount)
            json.add("running", executor.running.count)
            json.add("waiting", executor.waitingCount)
            Self.add("readers", load.readers, to: &json)
            Self.add("workers", load.workers, to: &json)
            if let current = catalogue.current {
                json.addObject("catalogue") { json in
                    json.add("commands", current.listedNames.count)
                    json.add("read_at", catalogue.readDate)
                }
            }
            if let wait = lockWait { json.addObject("waits_for_lock", wait.describe) }
        }
        return json.text
    }

    private static func add(_ key: StaticString, _ places: (busy: Int, of: Int), to json: inout JSONWriter) {
        json.addObject(key) { json in
            json.add("busy", places.busy)
            json.add("limit", places.of)
        }
    }
}

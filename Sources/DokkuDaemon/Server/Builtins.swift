// The answers of the daemon's own commands.
import DokkuProtocol
import Glibc

final class Builtins {
    private let executor: Executor
    private let catalogue: CatalogueKeeper
    private let attendance: Attendance
    private let account: SpoolAccount
    private let judge: Judge
    private let log: AuditLog
    private let startDate = time(nil)
    /// Made once, because clients ask for it to learn whether the daemon answers.
    private let versionLine = PlainReply.line(ok: true, output: version)
    private lazy var versionAnswer = SharedAnswer(version, account: account)
    private lazy var helpAnswer = SharedAnswer(Builtin.helpText, account: account)
    /// The last answers, and the revisions that they were made from.
    private var queueAnswer: (revision: Int, answer: SharedAnswer)?
    private var commandsAnswer: (revision: Int, answer: SharedAnswer)?

    init(
        executor: Executor, catalogue: CatalogueKeeper, attendance: Attendance, account: SpoolAccount,
        judge: Judge, log: AuditLog
    ) {
        self.executor = executor
        self.catalogue = catalogue
        self.attendance = attendance
        self.account = account
        self.judge = judge
        self.log = log
    }

    func answer(_ builtin: Builtin, _ incoming: Incoming) {
        let responder = incoming.responder
        switch builtin {
        case .version: responder.answer(versionAnswer)
        case .help: responder.answer(helpAnswer)
        case .status: responder.answer(SharedAnswer(status(), account: account))
        case .queue: responder.answer(current(&queueAnswer, executor.revision, queue()))
        case .commands:
            judge.whenCurrent { [self, incoming] failure in
                if let failure, catalogue.current == nil { return responder.refuse(failure) }
                withExtendedLifetime(incoming) { responder.answer(commands()) }
            }
        case .refresh:
            catalogue.refresh { [self, incoming] failure in
                settle("refresh", failure.map(Result.failure) ?? .success("Refreshed commands"), incoming)
            }
        case .cancel(let number): cancel(number, incoming)
        }
    }

    /// The listed commands, as far as they are known.
    private func commands() -> SharedAnswer {
        current(
            &commandsAnswer, catalogue.revision,
            catalogue.current?.listedNames.joined(separator: "\n") ?? "")
    }

    /// The whole reply line to a plain request, for the most frequent one.
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
        let load = executor.load
        return """
            version: \(version)
            since: \(AuditLog.format(startDate))
            connections: \(attendance.count)
            commands run: \(executor.runCount)
            commands failed: \(executor.failureCount)
            running: \(executor.running.count)
            waiting: \(executor.waitingCount)
            readers: \(load.readers.0) of \(load.readers.of)
            workers: \(load.workers.0) of \(load.workers.of)
            catalogue: \(catalogueLine)\(lockLine)
            """
    }

    private func queue() -> String {
        let running = executor.running.map { job in
            describe(job, "running", since: job.startedDate, job.lead.map { "runs with job \($0)" })
        }
        let waiting = executor.obstacles.map { job, obstacle in
            describe(job, "waiting", since: job.queuedDate, obstacle.map(describe))
        }
        return (running + waiting).joined(separator: "\n")
    }

    private func describe(_ obstacle: Obstacle) -> String {
        switch obstacle {
        case .job(let other): "waits for job \(other)"
        case .run(of: let other): "runs with job \(other)"
        case .turn: "waits for its turn"
        case .disk: "waits for the disk"
        case .lock: "waits for \(executor.lockWait.map { "\($0)" } ?? "the lock")"
        }
    }

    private func describe(_ job: Job, _ state: String, since date: time_t, _ note: String?) -> String {
        "\(job.number) \(state) since \(AuditLog.format(date)) pid=\(job.peer.pid) uid=\(job.peer.uid) \(job.title)"
            + (note.map { " [\($0)]" } ?? "")
    }

    // MARK: Changes

    private func cancel(_ number: UInt64, _ incoming: Incoming) {
        let title = "daemon:cancel \(number)"
        guard let job = executor.job(number: number) else {
            let refusal = Refusal(code: .invalidRequest, text: "No job \(number) waits or runs")
            return settle(title, .failure(refusal), incoming)
        }
        // If its process has exited, the job's result stays.
        let text =
            job.status == nil
            ? "Cancelled job \(number)"
            : "Job \(number) has ended; the daemon waits for no more of its output"
        settle(title, .success(text), incoming) {
            job.interrupt(Refusal(code: .cancelled, text: "The command was cancelled"))
        }
    }

    /// Logs a built-in that changes something, does it, and answers its client.
    private func settle(
        _ title: String, _ result: Result<String, Refusal>, _ incoming: Incoming,
        doing change: () -> Void = {}
    ) {
        switch result {
        case .success(let text):
            log.answered(title, peer: incoming.client.peer, answer: text)
            change()
            incoming.responder.answer(text)
        case .failure(let refusal):
            log.refused(title, peer: incoming.client.peer, refusal)
            incoming.responder.refuse(refusal)
        }
    }
}

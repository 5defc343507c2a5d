// The answers of the daemon's own commands.
import DokkuProtocol
import Glibc

final class Builtins {
    private let executor: Executor
    private let catalogue: CatalogueKeeper
    private let attendance: Attendance
    private let jobs: JobAnswers
    private let account: SpoolAccount
    private let judge: Judge
    private let subscriptions: Subscriptions
    private let log: AuditLog
    private let startDate = time(nil)
    /// Made once, because clients ask for it to learn whether the daemon answers.
    private let versionLine = PlainReply.line(ok: true, output: version)
    private lazy var versionAnswer = SharedAnswer(version, account: account)
    private lazy var versionObject = SharedAnswer(Self.versionJSON(Feature.allCases), account: account)
    private lazy var versionWithoutDescriptors = SharedAnswer(
        Self.versionJSON(Feature.allCases.filter { $0 != .descriptors }), account: account)
    private lazy var helpAnswer = SharedAnswer(Builtin.helpText, account: account)
    /// The last answers, and the revisions that they were made from. There are as many as the sockets have different
    /// rules.
    private var answers: [Topic: (revision: Int, answer: SharedAnswer)] = [:]

    private enum Topic: Hashable {
        case queue(AnswerFormat, for: ListenerRules.Owner)
        case jobs(AnswerFormat, for: ListenerRules.Owner)
        case commands(ListenerRules)
    }

    init(
        executor: Executor, jobs: JobAnswers, catalogue: CatalogueKeeper, attendance: Attendance,
        account: SpoolAccount, judge: Judge, log: AuditLog, board: Board = Board()
    ) {
        self.executor = executor
        self.catalogue = catalogue
        self.attendance = attendance
        self.jobs = jobs
        self.account = account
        self.judge = judge
        subscriptions = Subscriptions(board, executor: executor)
        self.log = log
    }

    func answer(_ builtin: Builtin, _ incoming: Incoming) {
        let responder = incoming.responder
        let rules = incoming.client.rules
        let viewer = rules.owner
        switch builtin {
        case .version(.text): responder.answer(versionAnswer)
        case .version(.json):
            let takesDescriptors = rules.options.contains(.descriptors)
            responder.answer(takesDescriptors ? versionObject : versionWithoutDescriptors)
        case .help: responder.answer(helpAnswer)
        case .status(let format): responder.answer(status(format, for: viewer))
        case .queue(let format):
            let listing = QueueListing(executor: executor, viewer: viewer)
            responder.answer(current(.queue(format, for: viewer), executor.revision, listing.text(format)))
        case .commands:
            judge.whenCurrent { [self, incoming] failure in
                if let failure, catalogue.current == nil { return responder.refuse(failure) }
                withExtendedLifetime(incoming) { responder.answer(commands(rules)) }
            }
        case .refresh:
            catalogue.refresh { [self, incoming] failure in
                settle("refresh", failure.map(Result.failure) ?? .success("Refreshed commands"), incoming)
            }
        case .jobs(let format): listJobs(format, for: viewer, responder)
        case .cancel(let number): cancel(number, incoming)
        case .signal(let number, let signal): self.signal(number, signal, incoming)
        case .wait(let number): jobs.awaitEnd(of: number, incoming)
        case .output(let number): jobs.output(of: number, incoming)
        case .forget(let number):
            settle("daemon:forget \(number)", jobs.forget(number, for: incoming.client), incoming)
        // Judged again, as the command that follows.
        case .submit: responder.refuse(.notImplemented)
        case .events: follow(incoming)
        }
    }

    /// The listed commands that the socket may run in some form, as far as they are known.
    private func commands(_ rules: ListenerRules) -> SharedAnswer {
        let permission = judge.permission(rules)
        return current(
            .commands(rules), catalogue.revision + judge.revision,
            (catalogue.current?.listedNames ?? []).filter(permission.mayRun).joined(separator: "\n"))
    }

    /// The whole reply line to a plain request, for the most frequent one.
    func plainLine(_ builtin: Builtin) -> [UInt8]? { builtin == .version(.text) ? versionLine : nil }

    private static func versionJSON(_ features: [Feature]) -> String {
        var json = JSONWriter()
        json.addObject { json in
            json.add("version", version)
            json.addArray("features") { json in
                for feature in features { json.add(nil, feature.rawValue) }
            }
        }
        return json.text
    }

    private func status(_ format: AnswerFormat, for viewer: ListenerRules.Owner) -> SharedAnswer {
        let report = StatusReport(
            executor: executor, catalogue: catalogue, connections: attendance.count, startDate: startDate,
            viewer: viewer)
        return SharedAnswer(report.text(format), account: account)
    }

    private func listJobs(
        _ format: AnswerFormat, for viewer: ListenerRules.Owner, _ responder: any Responder
    ) {
        do throws(Refusal) {
            try jobs.checkList()
            responder.answer(
                current(.jobs(format, for: viewer), jobs.revision, jobs.list(format, for: viewer)))
        } catch {
            responder.refuse(error)
        }
    }

    private func current(
        _ topic: Topic, _ revision: Int, _ text: @autoclosure () -> String
    ) -> SharedAnswer {
        if let kept = answers[topic], kept.revision == revision { return kept.answer }
        let answer = SharedAnswer(text(), account: account)
        answers[topic] = (revision, answer)
        return answer
    }

    private func follow(_ incoming: Incoming) {
        do throws(Refusal) {
            try subscriptions.begin(incoming)
        } catch {
            log.refused("daemon:events", peer: incoming.client.peer, error)
            incoming.responder.refuse(error)
        }
    }

    // MARK: Changes

    private func cancel(_ number: UInt64, _ incoming: Incoming) {
        let title = "daemon:cancel \(number)"
        guard let job = executor.job(number: number), incoming.client.rules.owner.sees(job.peer.owner) else {
            let refusal = Refusal(code: .invalidRequest, text: "No job \(number) waits or runs")
            return settle(title, .failure(refusal), incoming)
        }
        let reason = Refusal(code: .cancelled, text: "The command was cancelled")
        if job.isEnding {
            return settle(title, .success("Killed job \(number)"), incoming) { job.endAtOnce() }
        }
        do throws(Refusal) {
            try job.prepareInterrupt(reason)
        } catch {
            return settle(title, .failure(error), incoming)
        }
        // If its process has exited, the job's result stays.
        let text =
            job.status == nil
            ? "Cancelled job \(number)"
            : "Job \(number) has ended; the daemon waits for no more of its output"
        settle(title, .success(text), incoming) { job.interrupt(reason) }
    }

    /// Another socket's jobs may be those of somebody with other rights.
    private func signal(_ number: UInt64, _ signal: SignalName, _ incoming: Incoming) {
        let client = incoming.client
        let title = "daemon:signal \(number) \(signal.rawValue)"
        let job = executor.job(number: number)
        guard let job, client.rules.owner.sees(job.peer.owner), job.peer.isOfSameSocket(as: client.peer),
            job.signal(signal.number)
        else {
            let text = "No job \(number) that came through this socket runs by itself"
            return settle(title, .failure(.invalid(text)), incoming)
        }
        settle(title, .success("Sent \(signal.rawValue) to job \(number)"), incoming)
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

// The jobs that one run serves: usually one, or several that asked for the same.
import DokkuProtocol

/// Is told what becomes of a run.
protocol AudienceOwner: AnyObject {
    /// The process is gone; output may still come. Not called if it could not be started.
    func processDidExit(for audience: Audience)
    /// The first job has left, and the run goes on for the others.
    func leadDidChange(of audience: Audience)
    /// Nothing more comes. Its jobs end now.
    func runDidEnd(for audience: Audience)
}

final class Audience {
    /// More askers get a run of their own, so that one output is not encoded for too many at once.
    static let limit = 32

    /// The jobs that still wait for the result. The last one stays until the run has ended.
    private(set) var jobs: [Job]
    let command: Command
    private let rules: ListenerRules
    private weak var owner: (any AudienceOwner)?
    /// Nil before the start.
    private var run: Run?
    private var timer: Timer?

    /// The jobs `others` ask the same as `lead`, with the same rights.
    init(_ lead: Job, and others: some Sequence<Job> = [], owner: (any AudienceOwner)?) {
        jobs = [lead] + others
        command = lead.command
        rules = lead.peer.rules
        self.owner = owner
    }

    /// Starts the process. False if it could not be started; then the jobs have ended.
    func start(lock: Int32, context: RunContext) -> Bool {
        let lead = jobs[0]
        for job in jobs { job.willStart(context, with: lead) }
        do throws(Refusal) {
            run = try launch(lock: lock, context: context)
        } catch {
            for job in jobs { job.didNotStart(error) }
            return false
        }
        for job in jobs { job.didStart(self) }
        if let timeout = command.request.timeout {
            timer = context.loop.timers.schedule(after: timeout) { [weak self] in
                self?.end(Refusal(code: .timeout, text: "The command reached its time limit and was ended"))
            }
        }
        return true
    }

    private func launch(lock: Int32, context: RunContext) throws(Refusal) -> Run {
        // A command that ran before this one may have turned tracing on.
        if rules.options.contains(.readOnly), context.tracing.isOn { throw .traced }
        let plan = try RunPlan(command.invocation, command.request, rules, lock: lock)
        do throws(RunFailure) {
            return try Run(plan, context: context, owner: self)
        } catch {
            throw Refusal(error, program: context.launcher.program)
        }
    }
}

extension Audience: JobRun {
    func leave(_ job: Job) -> Bool {
        guard jobs.count > 1 else { return false }
        let wasLead = jobs[0] === job
        jobs.removeAll { $0 === job }
        if wasLead {
            for other in jobs { other.shareRun(of: jobs[0]) }
            owner?.leadDidChange(of: self)
        }
        return true
    }

    func end(_ reason: Refusal) {
        for job in jobs { job.willBeEnded(reason) }
        run?.terminate(hangingUp: command.lane == .talk && reason == .clientHasLeft)
        run?.reconsiderOutput()
    }

    func terminate() { run?.terminate() }
    func endAtOnce() { run?.endAtOnce() }
    func signal(_ number: Int32) { run?.signal(number) }
    func stopDraining() { run?.stopDraining() }
    func reconsiderOutput() { run?.reconsiderOutput() }
}

extension Audience: RunOwner {
    var wantsOutput: Bool { jobs.allSatisfy(\.wantsOutput) }
    var isShared: Bool { jobs.count > 1 }

    func run(_ run: Run, didOutput bytes: Span<UInt8>, on stream: OutputStream) {
        for job in jobs { job.didOutput(bytes, on: stream) }
    }

    func run(_ run: Run, inputDidFail error: SystemError) {
        end(
            Refusal(
                code: .inputFailed,
                text: "The command was ended, because the rest of its input could not be read: \(error)"))
    }

    func runDidExit(_ run: Run, _ status: ExitStatus) {
        timer?.cancel()
        giveBackTerminal()
        for job in jobs { job.didExit(status) }
        owner?.processDidExit(for: self)
    }

    /// A client that is there sets its terminal as it likes.
    private func giveBackTerminal() {
        guard let terminal = command.request.terminal else { return }
        if jobs.allSatisfy(\.observer.hasLeft) { terminal.restore() }
        terminal.close()
    }

    func runDidEnd(_ run: Run) {
        owner?.runDidEnd(for: self)
        for job in jobs { job.runDidEnd() }
    }
}

extension Refusal {
    fileprivate init(_ failure: RunFailure, program: String) {
        if failure.hasStarted {
            self.init(
                code: .aborted,
                text:
                    "The command was started, but killed at once, because it could not be watched: \(failure.reason)"
            )
        } else {
            self.init(code: .spawnFailed, text: "\(program): \(failure.reason.reason)")
        }
    }
}

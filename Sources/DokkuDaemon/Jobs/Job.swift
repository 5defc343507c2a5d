// One accepted command, from the queue to its end.
import DokkuProtocol
import Glibc

/// Receives what becomes of a job. This is how results travel back without the executor knowing to whom.
protocol JobObserver: AnyObject {
    /// False while the job's output is to stay in its pipe. Only what never ends may be held so.
    var wantsOutput: Bool { get }
    /// It has its number. `position`: its place where it waits in the queue, 1 for the next to start. False if nobody wants
    /// its result any more: then it does not start.
    func jobWasAccepted(_ job: Job, position: @autoclosure () -> Int) -> Bool
    func jobDidStart(_ job: Job)
    func job(_ job: Job, didOutput bytes: Span<UInt8>, on stream: OutputStream)
    func jobDidEnd(_ job: Job)
}

/// Who starts a job, and goes on with the next one.
protocol JobOwner: AnyObject {
    /// Its process is gone; output may still come. Not told of one that was never started.
    func jobDidExit(_ job: Job)
    /// It was answered.
    func jobDidEnd(_ job: Job)
}

/// |             | waiting          | running, outlastingBuild   | draining | ended |
/// |-------------|------------------|----------------------------|----------|-------|
/// | start       | running, or ended | –                         | –        | –     |
/// | interrupt   | ended            | TERM to its processes      | ended    | –     |
/// | build's end | –                | TERM; outlastingBuild      | –        | –     |
/// | exit        | –                | draining                   | –        | –     |
/// | output ends | –                | –                          | ended    | –     |
final class Job {
    enum State {
        case waiting
        case running(Run)
        /// It shows the output of a build that is over, and was told to end with it.
        case outlastingBuild(Run)
        /// Its process is gone, and what is left of its output is read.
        case draining(Run, ExitStatus)
        /// Nil if there was no process.
        case ended(ExitStatus?)
    }

    /// Counts from 1; what clients call it.
    let number: UInt64
    let command: Command
    let peer: Peer
    let observer: any JobObserver
    let queuedAt = Instant.now
    let queuedDate = time(nil)
    private(set) var state = State.waiting
    private(set) var startedAt: Instant?
    private(set) var startedDate: time_t = 0
    private(set) var endedAt: Instant?
    /// What went wrong, beside what the status says.
    private(set) var failure: JobFailure?
    /// Raw output so far, in bytes.
    private(set) var outputCount = 0
    /// The command for logs and listings: without secrets.
    private(set) lazy var title =
        command.title ?? Redaction.describe(command.invocation)
    /// The beginning of the output, where a log may show it.
    private(set) var excerpt: [UInt8] = []
    /// Whether a log may show the output. That of a command with input may repeat it.
    private(set) lazy var showsExcerpt =
        excerptLimit > 0 && !command.request.hasInput
        && Redaction.mayLogOutput(of: command.invocation)

    private let excerptLimit: Int
    private let outputLimit: Int
    private weak var owner: (any JobOwner)?
    private var timer: Timer?
    private var buildWatch: BuildWatch?

    init(
        number: UInt64, command: Command, peer: Peer, observer: any JobObserver, owner: (any JobOwner)?,
        outputLimit: Int, excerptLimit: Int
    ) {
        self.number = number
        self.command = command
        self.peer = peer
        self.observer = observer
        self.owner = owner
        self.outputLimit = outputLimit
        self.excerptLimit = excerptLimit
    }

    /// How the process ended; nil if there was none, or it is not over.
    var status: ExitStatus? {
        switch state {
        case .waiting, .running, .outlastingBuild: nil
        case .draining(_, let status): status
        case .ended(let status): status
        }
    }
    var isSuccess: Bool { failure == nil && status?.isSuccess == true }
    /// What never ends has not failed where nobody wanted more of it.
    var isFailure: Bool {
        if command.lane.neverEnds, failure?.reason.code == .cancelled { return false }
        return status?.isSuccess != true
    }
    var queuedDuration: Duration { (startedAt ?? endedAt ?? .now) - queuedAt }
    var runDuration: Duration { startedAt.map { (endedAt ?? .now) - $0 } ?? .zero }

    /// Starts the process. False if it could not be started, and so is over.
    func start(lock: Int32, context: RunContext) -> Bool {
        startedAt = .now
        startedDate = time(nil)
        observer.jobDidStart(self)
        do throws(Refusal) {
            state = .running(try launch(lock: lock, context: context))
        } catch {
            failure = .ended(error)
            end(nil)
            return false
        }
        if let timeout = command.request.timeout {
            timer = context.loop.timers.schedule(after: timeout) { [weak self] in
                self?.interrupt(
                    Refusal(code: .timeout, text: "The command ran longer than it may, and was ended"))
            }
        }
        return true
    }

    private func launch(lock: Int32, context: RunContext) throws(Refusal) -> Run {
        // It may have waited behind the very command that turned tracing on.
        if peer.isRestricted, context.tracing.isOn { throw .traced }
        let plan = try RunPlan(command.invocation, command.request, lock: lock)
        if let query = BuildRecords.Query(command.invocation) {
            buildWatch = BuildWatch(query, records: context.builds, loop: context.loop) { [unowned self] in
                endWithBuild()
            }
        }
        do throws(RunFailure) {
            return try Run(plan, context: context, owner: self)
        } catch {
            throw Refusal(error, program: context.launcher.program)
        }
    }

    /// Ends a job before its time: a waiting one is over at once, a running one when its process is gone. One whose
    /// process is gone already has ended as it has ended; only its output is waited for no longer.
    func interrupt(_ reason: Refusal) {
        switch state {
        case .waiting:
            failure = JobFailure.add(end: reason, to: failure)
            end(nil)
        case .running(let run), .outlastingBuild(let run):
            if failure?.isEnded == true { return }
            failure = JobFailure.add(end: reason, to: failure)
            run.terminate()
            run.reconsiderOutput()
        case .draining(let run, _): run.stopDraining()
        case .ended: break
        }
    }

    /// True if it was done: what its client has not read yet must not be lost.
    private func endWithBuild() -> Bool {
        guard case .running(let run) = state, wantsOutput else { return false }
        state = .outlastingBuild(run)
        run.terminate()
        return true
    }

    /// Not all output could be kept: nothing more of it is told, and the command goes on.
    func truncate(_ reason: Refusal) { failure = JobFailure.add(cut: reason, to: failure) }

    func reconsiderOutput() {
        switch state {
        case .running(let run), .outlastingBuild(let run), .draining(let run, _): run.reconsiderOutput()
        case .waiting, .ended: break
        }
    }

    private func end(_ status: ExitStatus?) {
        state = .ended(status)
        if endedAt == nil { endedAt = .now }
        stopWatching()
        observer.jobDidEnd(self)
        owner?.jobDidEnd(self)
    }

    private func stopWatching() {
        timer?.cancel()
        buildWatch = nil
    }
}

extension Job: RunOwner {
    /// One that is told to end is not made to wait: it could not get to its end.
    var wantsOutput: Bool {
        !command.lane.neverEnds || failure?.isEnded == true || observer.wantsOutput
    }

    func run(_ run: Run, didOutput bytes: Span<UInt8>, on stream: OutputStream) {
        let rest = outputLimit - outputCount
        // What runs beside the queue is bounded by what its reader leaves unread.
        if bytes.count > rest, !command.lane.neverEnds {
            if rest > 0 { deliver(bytes.extracting(first: rest), on: stream) }
            outputCount = outputLimit
            truncate(Refusal(code: .outputTruncated, text: "The output was cut after \(outputLimit) bytes"))
        } else if command.lane.neverEnds, failure?.isEnded == true, !observer.wantsOutput {
            truncate(
                Refusal(
                    code: .outputTruncated,
                    text: "The output was cut, since it was not read when the command was told to end"))
        } else {
            deliver(bytes, on: stream)
        }
    }

    private func deliver(_ bytes: Span<UInt8>, on stream: OutputStream) {
        // What follows a gap would be taken for what belongs in it.
        if failure?.isOutputCut == true { return }
        outputCount += bytes.count
        if excerpt.count < excerptLimit, showsExcerpt {
            let room = excerptLimit - excerpt.count
            bytes.extracting(first: room).withUnsafeBufferPointer { excerpt.append(contentsOf: $0) }
        }
        observer.job(self, didOutput: bytes, on: stream)
    }

    func run(_ run: Run, inputDidFail error: SystemError) {
        interrupt(
            Refusal(
                code: .inputFailed,
                text: "The rest of the command's input could not be read, and it was ended: \(error)"))
    }

    func runDidExit(_ run: Run, _ status: ExitStatus) {
        if case .outlastingBuild = state {
            state = .draining(run, .exited(0))
        } else {
            state = .draining(run, status)
        }
        endedAt = .now
        stopWatching()
        owner?.jobDidExit(self)
    }

    func runDidEnd(_ run: Run) { end(status) }
}

extension Refusal {
    fileprivate init(_ failure: RunFailure, program: String) {
        if failure.hasStarted {
            self.init(
                code: .aborted,
                text:
                    "The command was started, but could not be watched, and was killed at once: \(failure.reason)"
            )
        } else {
            self.init(code: .spawnFailed, text: "\(program): \(failure.reason.reason)")
        }
    }
}

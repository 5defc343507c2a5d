// One accepted command, from the queue to its end.
import DokkuProtocol
import Glibc

/// Receives the events of a job. So results travel back, and the executor need not know to whom.
protocol JobObserver: AnyObject {
    /// False while the job's output must stay in its pipe. Only endless commands may be held back so.
    var wantsOutput: Bool { get }
    /// The job has its number. `position` is its place in the queue: 1 starts next. Returns false if nobody wants
    /// the result any more; then the job does not start.
    func jobWasAccepted(_ job: Job, position: @autoclosure () -> Int) -> Bool
    func jobDidStart(_ job: Job)
    func job(_ job: Job, didOutput bytes: Span<UInt8>, on stream: OutputStream)
    func jobDidEnd(_ job: Job)
}

/// Starts a job, and goes on with the next one.
protocol JobOwner: AnyObject {
    /// The job's process is gone; output may still come. Not called for a job that was never started.
    func jobDidExit(_ job: Job)
    /// The job was answered.
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
        /// It shows the output of a build that has ended, and was told to end, too.
        case outlastingBuild(Run)
        /// Its process is gone, and the rest of its output is being read.
        case draining(Run, ExitStatus)
        /// Nil if there was no process.
        case ended(ExitStatus?)
    }

    /// Counts from 1. Clients name the job by it.
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
    /// What went wrong, besides the exit status.
    private(set) var failure: JobFailure?
    /// Bytes of raw output so far.
    private(set) var outputCount = 0
    /// The command for logs and listings, without secrets.
    private(set) lazy var title =
        command.title ?? Redaction.describe(command.invocation)
    /// The beginning of the output, if a log may show it.
    private(set) var excerpt: [UInt8] = []
    /// Whether a log may show the output. A command with an input may repeat it in its output.
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

    /// How the process ended; nil if there was none, or if it has not ended.
    var status: ExitStatus? {
        switch state {
        case .waiting, .running, .outlastingBuild: nil
        case .draining(_, let status): status
        case .ended(let status): status
        }
    }
    var isSuccess: Bool { failure == nil && status?.isSuccess == true }
    /// An endless command has not failed if nobody wanted more of it.
    var isFailure: Bool {
        if command.lane.neverEnds, failure?.reason.code == .cancelled { return false }
        return status?.isSuccess != true
    }
    var queuedDuration: Duration { (startedAt ?? endedAt ?? .now) - queuedAt }
    var runDuration: Duration { startedAt.map { (endedAt ?? .now) - $0 } ?? .zero }

    /// Starts the process. False if it could not be started; then the job has ended.
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
                    Refusal(code: .timeout, text: "The command reached its time limit and was ended"))
            }
        }
        return true
    }

    private func launch(lock: Int32, context: RunContext) throws(Refusal) -> Run {
        // A command that ran before this one may have turned tracing on.
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

    /// Ends a job early. A waiting job ends at once, a running one when its process is gone. If its process has
    /// already exited, its result stays, and it waits for no more output.
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

    /// True if it was done. Output that the client has not read yet must not be lost.
    private func endWithBuild() -> Bool {
        guard case .running(let run) = state, wantsOutput else { return false }
        state = .outlastingBuild(run)
        run.terminate()
        return true
    }

    /// Not all output could be kept: the rest of it is dropped, and the command goes on.
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
    /// A command that is told to end is not held back, because then it could not end.
    var wantsOutput: Bool {
        !command.lane.neverEnds || failure?.isEnded == true || observer.wantsOutput
    }

    func run(_ run: Run, didOutput bytes: Span<UInt8>, on stream: OutputStream) {
        let rest = outputLimit - outputCount
        // The output of an endless command is bounded by what its reader leaves unread.
        if bytes.count > rest, !command.lane.neverEnds {
            if rest > 0 { deliver(bytes.extracting(first: rest), on: stream) }
            outputCount = outputLimit
            truncate(Refusal(code: .outputTruncated, text: "The output was cut after \(outputLimit) bytes"))
        } else if command.lane.neverEnds, failure?.isEnded == true, !observer.wantsOutput {
            truncate(
                Refusal(
                    code: .outputTruncated,
                    text:
                        "The output was cut, because the client had not read it when the command was ended"))
        } else {
            deliver(bytes, on: stream)
        }
    }

    private func deliver(_ bytes: Span<UInt8>, on stream: OutputStream) {
        // Output after a gap would look as if nothing were missing.
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
                text: "The command was ended, because the rest of its input could not be read: \(error)"))
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
                    "The command was started, but killed at once, because it could not be watched: \(failure.reason)"
            )
        } else {
            self.init(code: .spawnFailed, text: "\(program): \(failure.reason.reason)")
        }
    }
}

// One accepted command, from the queue to its end.
import DokkuProtocol
import Glibc

/// Receives the events of a job. So results travel back, and the executor need not know to whom.
protocol JobObserver: AnyObject {
    /// False while the job's output must stay in its pipe. Only endless commands may be held back so.
    var wantsOutput: Bool { get }
    /// The job is about to be accepted. Throws if it must not be.
    func jobWillBeAccepted(_ job: Job) throws(Refusal)
    /// The job has its number. `place` tells where it waits, if its lane waits. Returns false if nobody wants the result
    /// any more; then the job does not start.
    func jobWasAccepted(_ job: Job, place: @autoclosure () -> QueuePlace) -> Bool
    /// The job's turn has come. Returns false if it must not start yet: then it is tried again later.
    func jobMayStart(_ job: Job) -> Bool
    /// The job is to end before it has started. Throws if it could start all the same, after a crash.
    func jobWillEnd(_ job: Job, _ reason: Refusal) throws(Refusal)
    func jobDidStart(_ job: Job)
    func job(_ job: any JobOutcome, didOutput bytes: Span<UInt8>, on stream: OutputStream)
    func jobDidEnd(_ job: any JobOutcome)
    /// Nobody waits for the result any more.
    var hasLeft: Bool { get }
}

extension JobObserver {
    var hasLeft: Bool { false }
    func jobWillBeAccepted(_ job: Job) throws(Refusal) {}
    func jobMayStart(_ job: Job) -> Bool { true }
    func jobWillEnd(_ job: Job, _ reason: Refusal) throws(Refusal) {}
}

protocol JobOwner: AnyObject {
    /// The job's process is about to be started.
    func jobDidStart(_ job: Job)
    /// The job has been answered.
    func jobDidEnd(_ job: Job)
}

/// The run that serves a job, and perhaps others.
protocol JobRun: AnyObject {
    /// The job wants no more of the run. False if no other job wants it either; then the run has to be ended, and the
    /// job still belongs to it.
    func leave(_ job: Job) -> Bool
    /// Ends the process for this reason, for all its jobs.
    func end(_ reason: Refusal)
    /// Ends the process.
    func terminate()
    /// Ends what is left of the process at once.
    func endAtOnce()
    func signal(_ number: Int32)
    /// After the exit: does not wait for more output.
    func stopDraining()
    /// Call it if `Job.wantsOutput` has changed.
    func reconsiderOutput()
    /// Whether several jobs want its output.
    var isShared: Bool { get }
}

/// |             | waiting, heldBack | running, outlastingBuild   | draining | ended |
/// |-------------|-------------------|----------------------------|----------|-------|
/// | hold back   | heldBack          | –                          | –        | –     |
/// | release     | waiting           | –                          | –        | –     |
/// | start       | running, or ended | –                          | –        | –     |
/// | interrupt   | ended             | ended, if others share the run; else TERM to its processes | ended | – |
/// | build's end | –                 | TERM; outlastingBuild      | –        | –     |
/// | exit        | –                 | draining                   | –        | –     |
/// | output ends | –                 | –                          | ended    | –     |
final class Job: JobOutcome {
    enum State {
        case waiting
        /// Its turn has come, but its observer did not let it start.
        case heldBack
        case running(any JobRun)
        /// It shows the output of a build that has ended, and was told to end, too.
        case outlastingBuild(any JobRun)
        /// Its process is gone, and the rest of its output is being read.
        case draining(any JobRun, ExitStatus)
        /// Nil if there was no process.
        case ended(ExitStatus?)
    }

    /// Counts from 1. Clients name the job by it.
    let number: UInt64
    let command: Command
    let submitter: Submitter
    let peer: Peer
    let observer: any JobObserver
    let queuedAt: Instant
    let queuedDate: time_t
    private(set) var state = State.waiting
    private(set) var startedAt: Instant?
    private(set) var startedDate: time_t = 0
    private(set) var endedAt: Instant?
    /// The job whose run it shares; nil if it has one of its own.
    private(set) var lead: UInt64?
    /// What went wrong, besides the exit status.
    private(set) var failure: JobFailure?
    /// Bytes of raw output so far.
    private(set) var outputCount = 0
    private(set) lazy var question = Question(command, from: peer)
    /// The command for logs and listings, without secrets.
    private(set) lazy var title = Redaction.describe(command.invocation)
    /// The beginning of the output, if a log may show it.
    private(set) var excerpt: [UInt8] = []
    /// Whether a log may show the output. A command with an input may repeat it in its output.
    private(set) lazy var showsExcerpt =
        excerptLimit > 0 && !command.request.hasInput
        && Redaction.mayLogOutput(of: command.invocation)

    private let excerptLimit: Int
    private let outputLimit: Int
    private weak var owner: (any JobOwner)?
    private var buildWatch: BuildWatch?

    init(
        number: UInt64, command: Command, submitter: Submitter, peer: Peer, observer: any JobObserver,
        owner: (any JobOwner)?, outputLimit: Int, excerptLimit: Int, acceptedAt date: time_t? = nil
    ) {
        self.number = number
        self.command = command
        self.submitter = submitter
        self.peer = peer
        self.observer = observer
        self.owner = owner
        let now = time(nil)
        queuedDate = date ?? now
        queuedAt = .now + .seconds(min(0, queuedDate - now))
        self.outputLimit = outputLimit
        self.excerptLimit = excerptLimit
    }

    /// How the process ended; nil if there was none, or if it has not ended.
    var status: ExitStatus? {
        switch state {
        case .waiting, .heldBack, .running, .outlastingBuild: nil
        case .draining(_, let status): status
        case .ended(let status): status
        }
    }
    var hasRun: Bool { status != nil }
    var wasAskedByNumber: Bool { false }
    var waitsForReader: Bool { command.lane.neverEnds }
    var endsWithClient: Bool { command.lane.endsWithClient }
    var isSuccess: Bool { failure == nil && status?.isSuccess == true }
    /// A command that ends with its client has not failed if nobody wanted more of it.
    var isFailure: Bool {
        if command.lane.endsWithClient, failure?.reason.code == .cancelled { return false }
        return status?.isSuccess != true
    }
    var queuedDuration: Duration { (startedAt ?? endedAt ?? .now) - queuedAt }
    var runDuration: Duration { startedAt.map { (endedAt ?? .now) - $0 } ?? .zero }

    /// The process is about to be started, for this job or for `lead`.
    func willStart(_ context: RunContext, with lead: Job) {
        shareRun(of: lead)
        startedAt = .now
        startedDate = time(nil)
        observer.jobDidStart(self)
        owner?.jobDidStart(self)
        if let query = BuildRecords.Query(command.invocation) {
            buildWatch = BuildWatch(query, records: context.builds, loop: context.loop) { [unowned self] in
                endWithBuild()
            }
        }
    }

    func shareRun(of lead: Job) { self.lead = lead === self ? nil : lead.number }

    /// Asks whether the job may start, now that its turn has come.
    func mayStart() -> Bool {
        if observer.jobMayStart(self) { return true }
        holdBack()
        return false
    }

    /// It stays where it waits, and is not started.
    func holdBack() { if case .waiting = state { state = .heldBack } }

    var isHeldBack: Bool { if case .heldBack = state { true } else { false } }

    /// It may be tried again.
    func release() { if isHeldBack { state = .waiting } }

    func didStart(_ run: any JobRun) { state = .running(run) }

    func didNotStart(_ reason: Refusal) {
        failure = .ended(reason)
        end(nil)
    }

    /// Call it before `interrupt` with the same reason, if somebody is told that the job was ended. Throws if the job waits
    /// and could run all the same, after a crash: then it waits on.
    func prepareInterrupt(_ reason: Refusal) throws(Refusal) {
        switch state {
        case .waiting, .heldBack: try observer.jobWillEnd(self, reason)
        case .running, .outlastingBuild, .draining, .ended: break
        }
    }

    /// Ends a job early. A waiting job ends at once, a running one when its process is gone, or at once if other jobs
    /// want its process. If its process has already exited, its result stays, and it waits for no more output.
    func interrupt(_ reason: Refusal) {
        switch state {
        case .waiting, .heldBack:
            willBeEnded(reason)
            end(nil)
        case .running(let run), .outlastingBuild(let run):
            if failure?.isEnded == true { return }
            if run.leave(self) {
                willBeEnded(reason)
                end(nil)
            } else {
                run.end(reason)
            }
        case .draining(let run, let status):
            if run.leave(self) { end(status) } else { run.stopDraining() }
        case .ended: break
        }
    }

    /// Ends a job early, and its process for all jobs that share it.
    func interruptRun(_ reason: Refusal) {
        switch state {
        case .running(let run), .outlastingBuild(let run):
            if failure?.isEnded != true { run.end(reason) }
        case .draining(let run, _): run.stopDraining()
        case .waiting, .heldBack, .ended: interrupt(reason)
        }
    }

    /// Its process has been told to end, and has not ended.
    var isEnding: Bool { currentRun != nil && failure?.isEnded == true }

    /// Ends it at once, after it was told to end.
    func endAtOnce() { if isEnding { currentRun?.endAtOnce() } }

    /// Signals its process group. False if it does not run, or if others share its run.
    func signal(_ number: Int32) -> Bool {
        guard let run = currentRun, !run.isShared else { return false }
        run.signal(number)
        return true
    }

    private var currentRun: (any JobRun)? {
        switch state {
        case .running(let run), .outlastingBuild(let run): run
        case .waiting, .heldBack, .draining, .ended: nil
        }
    }

    /// Its process is about to be told to end.
    func willBeEnded(_ reason: Refusal) { failure = JobFailure.add(end: reason, to: failure) }

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
        case .waiting, .heldBack, .ended: break
        }
    }

    private func end(_ status: ExitStatus?) {
        state = .ended(status)
        if endedAt == nil { endedAt = .now }
        buildWatch = nil
        observer.jobDidEnd(self)
        owner?.jobDidEnd(self)
    }

    // MARK: What the run tells

    /// A command that is told to end is not held back, because then it could not end.
    var wantsOutput: Bool {
        !command.lane.neverEnds || failure?.isEnded == true || observer.wantsOutput
    }

    func didOutput(_ bytes: Span<UInt8>, on stream: OutputStream) {
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

    func didExit(_ status: ExitStatus) {
        switch state {
        case .running(let run): state = .draining(run, status)
        case .outlastingBuild(let run): state = .draining(run, .exited(0))
        case .waiting, .heldBack, .draining, .ended: return
        }
        endedAt = .now
        buildWatch = nil
    }

    func runDidEnd() { end(status) }
}

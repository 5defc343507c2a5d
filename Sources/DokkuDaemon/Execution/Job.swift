// One accepted command, from the queue to its end.
import Glibc

/// Who sent a request: the peer of its connection, and the listener it came through.
struct Peer: Sendable {
    var pid: Int32
    var uid: UInt32
    var gid: UInt32
    var listener: String
    /// The listener's options make it `isRestricted`.
    var isRestricted = false
}

/// Receives what becomes of a job. This is how results travel back without the worker knowing to whom.
protocol JobObserver: AnyObject {
    /// False while the job's output is to stay in its pipe. Only what runs beside the queue may be held so.
    var wantsOutput: Bool { get }
    /// It has its number, and its place where it waits in the queue.
    func jobWasAccepted(_ job: Job)
    func jobDidStart(_ job: Job)
    func job(_ job: Job, didOutput bytes: Span<UInt8>, on stream: OutputStream)
    func jobDidEnd(_ job: Job)
}

/// What is to be run, and how.
struct Command {
    var invocation: Invocation
    /// What logs and listings call it; nil: its words, without secrets.
    var title: String?
    var lane: Lane
    var input: Spool?
    var redirection: Redirection?
    var separatesStreams = false
    var timeout: Duration?
    /// For the memory that all of this takes.
    var reservation: Reservation?
}

final class Job {
    enum State { case waiting, running, ended }

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
    /// How the process ended; nil where there was none, or it is not over.
    private(set) var status: ExitStatus?
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
        excerptLimit > 0 && command.input == nil && command.redirection?.direction != .input
        && Redaction.mayLogOutput(of: command.invocation)

    private let excerptLimit: Int
    private let outputLimit: Int
    private weak var supervisor: (any JobSupervisor)?
    private var run: Run?
    private var timer: Timer?
    private var buildWatch: BuildWatch?
    /// It showed a build's output, and was ended with the build.
    private var wasEndedWithBuild = false

    init(
        number: UInt64, command: Command, peer: Peer, observer: any JobObserver, outputLimit: Int,
        excerptLimit: Int
    ) {
        self.number = number
        self.command = command
        self.peer = peer
        self.observer = observer
        self.outputLimit = outputLimit
        self.excerptLimit = excerptLimit
    }

    var isSuccess: Bool { failure == nil && status?.isSuccess == true }
    /// What never ends has not failed where nobody wanted more of it.
    var isFailure: Bool {
        if command.lane.neverEnds, failure?.reason.code == .cancelled { return false }
        return status?.isSuccess != true
    }
    var queuedDuration: Duration { (startedAt ?? endedAt ?? .now) - queuedAt }
    var runDuration: Duration { startedAt.map { (endedAt ?? .now) - $0 } ?? .zero }

    /// Starts the process. A failure to start is this job's end, and reported like any other.
    func start(lock: Int32, context: RunContext, supervisor: any JobSupervisor) {
        self.supervisor = supervisor
        state = .running
        startedAt = .now
        startedDate = time(nil)
        observer.jobDidStart(self)
        do throws(Refusal) {
            run = try launch(lock: lock, context: context)
        } catch {
            failure = .ended(error)
            supervisor.jobDidExit(self)
            end()
            return
        }
        if let timeout = command.timeout {
            timer = context.loop.timers.schedule(after: timeout) { [weak self] in
                self?.interrupt(
                    Refusal(code: .timeout, text: "The command ran longer than it may, and was ended"))
            }
        }
    }

    private func launch(lock: Int32, context: RunContext) throws(Refusal) -> Run {
        // It may have waited behind the very command that turned tracing on.
        if peer.isRestricted, context.tracing.isOn { throw .traced }
        var plan = RunPlan(
            arguments: command.invocation.arguments,
            identity: command.invocation.keepsRoot ? .daemon : .systemUser,
            separatesStreams: command.separatesStreams, lock: lock)
        if let input = command.input { plan.input = .fed(.spool(input)) }
        if let redirection = command.redirection {
            let file = try redirection.open()
            switch redirection.direction {
            case .input: plan.input = command.invocation.readsOnlyPipes ? .fed(.file(file)) : .file(file)
            case .output: plan.outputFile = file
            }
        }
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
        guard state != .ended else { return }
        if status != nil {
            run?.stopDraining()
        } else if failure?.isEnded != true {
            failure = JobFailure.add(end: reason, to: failure)
            if let run {
                run.terminate()
                run.reconsiderOutput()
            } else {
                end()
            }
        }
    }

    /// True where it was done: what its client has not read yet must not be lost.
    private func endWithBuild() -> Bool {
        guard wantsOutput else { return false }
        wasEndedWithBuild = true
        run?.terminate()
        return true
    }

    /// Not all output could be kept: nothing more of it is told, and the command goes on.
    func truncate(_ reason: Refusal) { failure = JobFailure.add(cut: reason, to: failure) }

    func reconsiderOutput() { run?.reconsiderOutput() }

    private func end() {
        guard state != .ended else { return }
        state = .ended
        if endedAt == nil { endedAt = .now }
        timer?.cancel()
        buildWatch = nil
        run = nil
        observer.jobDidEnd(self)
        supervisor?.jobDidEnd(self)
    }
}

/// Who started a job: goes on with the next one.
protocol JobSupervisor: AnyObject {
    func jobDidExit(_ job: Job)
    func jobDidEnd(_ job: Job)
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

    func runDidExit(_ run: Run) {
        buildWatch = nil
        status = wasEndedWithBuild ? .exited(0) : run.status
        endedAt = .now
        timer?.cancel()
        supervisor?.jobDidExit(self)
    }

    func runDidEnd(_ run: Run) { end() }
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

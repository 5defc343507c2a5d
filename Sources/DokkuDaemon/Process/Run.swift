// A command from its start to its end: the process, its pipes, and the order in which they may end.
//
// A run is over when the process was reaped *and* its pipes have ended or the drain grace has passed. `runDidExit`
// reports the end of the process, `runDidEnd` the end of the output.
import CEpollShim
import DokkuProtocol
import Glibc

/// The owner of a run.
protocol RunOwner: AnyObject {
    /// False while output must stay in its pipe. If this changes, call `Run.reconsiderOutput`.
    var wantsOutput: Bool { get }
    /// Whether several get each byte of the output.
    var isShared: Bool { get }
    func run(_ run: Run, didOutput bytes: Span<UInt8>, on stream: OutputStream)
    /// The rest of the input cannot be passed on. The process waits for it until it is ended.
    func run(_ run: Run, inputDidFail error: SystemError)
    /// The process was reaped. Output may still come.
    func runDidExit(_ run: Run, _ status: ExitStatus)
    /// Nothing more comes.
    func runDidEnd(_ run: Run)
}

/// Why a run could not be started.
struct RunFailure: Error {
    var reason: SystemError
    /// The command was started, and killed at once.
    var hasStarted = false
}

final class Run {
    private let context: RunContext
    private unowned let owner: any RunOwner
    private var child: Child?
    private var pipes: [OutputPipe] = []
    private var feed: InputFeed?
    private var drainTimer: Timer?
    private(set) var status: ExitStatus?
    private var hasEnded = false

    /// Starts the command. `owner` must outlive the run's end.
    init(_ plan: RunPlan, context: RunContext, owner: any RunOwner) throws(RunFailure) {
        self.context = context
        self.owner = owner
        try start(plan)
    }

    /// Ends the command: SIGTERM to its process group, and after the grace SIGKILL to what is left of it. `hangingUp`:
    /// it is told first that its terminal has gone.
    func terminate(hangingUp: Bool = false) {
        if let child, !hasEnded { context.endings.end(child, hangingUp: hangingUp) }
    }

    /// Ends what is left of the command at once.
    func endAtOnce() {
        if let child, !hasEnded { context.endings.endAtOnce(child) }
    }

    /// Signals the process group, if its leader runs.
    func signal(_ number: Int32) {
        if let child, status == nil { child.signalGroup(number) }
    }

    /// After the exit: does not wait for more output.
    func stopDraining() {
        if status != nil, !hasEnded { end() }
    }

    func reconsiderOutput() { for pipe in pipes { pipe.reconsider() } }

    private func didExit(_ status: ExitStatus) {
        self.status = status
        feed?.close()
        if let child, !child.isGroupLeft { context.endings.forget(child) }
        for pipe in pipes { pipe.readRemainder() }
        owner.runDidExit(self, status)
        endIfComplete()
        if !hasEnded {
            drainTimer = context.loop.timers.schedule(after: context.drainGrace) { [self] in end() }
        }
    }

    private func endIfComplete() {
        if !hasEnded, pipes.allSatisfy(\.hasEnded) { end() }
    }

    private func end() {
        hasEnded = true
        context.runDidEnd()
        drainTimer?.cancel()
        for pipe in pipes where !pipe.hasEnded { pipe.handOver(to: context.drain) }
        owner.runDidEnd(self)
    }
}

// Starting. The daemon closes the child's ends of the pipes as soon as the child has them.
extension Run {
    /// The pipes of one run.
    private struct Ends {
        /// Also of standard error, if that has no pipe of its own.
        var output: PipeEnds?
        var errors: PipeEnds?
        var input: PipeEnds?

        init(_ plan: RunPlan) throws(SystemError) {
            let hasErrors = plan.errors == nil
            if plan.output.isPipe || hasErrors && !plan.separatesStreams {
                output = try Descriptor.pipe(ours: .read)
            }
            if hasErrors, plan.separatesStreams { errors = try Descriptor.pipe(ours: .read) }
            if case .fed = plan.input { input = try Descriptor.pipe(ours: .write) }
        }
    }

    private static func descriptors(
        _ plan: RunPlan, _ ends: Ends, _ context: RunContext
    ) throws(SystemError) -> ChildDescriptors {
        let input: Int32
        switch plan.input {
        case .empty: input = try context.emptyInput.number()
        case .file(let file): input = file.descriptor.number
        case .passed(let file): input = file.number
        case .fed: input = ends.input?.theirs ?? -1
        }
        let pipe = ends.output?.theirs ?? -1
        var descriptors = ChildDescriptors(
            input: input, output: pipe, error: plan.errors?.number ?? ends.errors?.theirs ?? pipe,
            lock: plan.lock)
        switch plan.output {
        case .pipe: break
        case .emptied(let file):
            descriptors.output = file.descriptor.number
            descriptors.emptiesOutput = true
        case .passed(let file): descriptors.output = file.number
        }
        return descriptors
    }

    private func start(_ plan: RunPlan) throws(RunFailure) {
        let ends: Ends
        let pid: pid_t
        do throws(SystemError) {
            ends = try Ends(plan)
            // posix_spawn(3) returns no pidfd, so a descriptor for it must be kept free before the process exists.
            try context.reserve.fill()
            pid = try context.launcher.start(
                plan.arguments, as: plan.identity, Self.descriptors(plan, ends, context),
                adding: plan.variables)
        } catch {
            throw RunFailure(reason: error)
        }
        plan.releasePassed()
        try watch(pid)
        if let output = ends.output { attach(output, as: .standardOutput) }
        if let errors = ends.errors { attach(errors, as: .standardError) }
        if case .fed(let source) = plan.input, let end = ends.input?.takeOurs() {
            feed = InputFeed(source, writing: end, loop: context.loop) { [unowned self] error in
                owner.run(self, inputDidFail: error)
            }
        }
    }

    private func watch(_ pid: pid_t) throws(RunFailure) {
        do throws(SystemError) {
            child = try Child(pid: pid, context: context) { [self] in didExit($0) }
            context.runDidStart()
        } catch {
            // Without a pidfd nobody would see the process end, so it must not run.
            kill(-pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw RunFailure(reason: error, hasStarted: true)
        }
    }

    private func attach(_ pipe: PipeEnds, as stream: OutputStream) {
        if let end = pipe.takeOurs() {
            pipes.append(OutputPipe(stream, reading: end, owner: self, loop: context.loop))
        }
    }
}

extension Run: OutputPipeOwner {
    var wantsOutput: Bool { owner.wantsOutput }
    var hasCopies: Bool { context.hasCopies }
    var isShared: Bool { owner.isShared }

    func didRead(_ bytes: Span<UInt8>, from stream: OutputStream) {
        owner.run(self, didOutput: bytes, on: stream)
    }

    func pipeDidEnd() {
        if status != nil { endIfComplete() }
    }
}

// A command from its start to its end: the process, its pipes, and in which order they may end.
//
// A run is over when the process was reaped *and* its pipes have ended or the drain grace has passed: whoever
// waits for the process goes on at `runDidExit`, whoever waits for the output at `runDidEnd`.
import CEpollShim
import DokkuProtocol
import Glibc

/// Whoever started a run.
protocol RunOwner: AnyObject {
    /// False while output is to stay in its pipe; `Run.reconsiderOutput` when that changes.
    var wantsOutput: Bool { get }
    func run(_ run: Run, didOutput bytes: Span<UInt8>, on stream: OutputStream)
    /// The process cannot get the rest of its input. It waits for it until it is ended.
    func run(_ run: Run, inputDidFail error: SystemError)
    /// The process was reaped; output may still come.
    func runDidExit(_ run: Run, _ status: ExitStatus)
    /// Nothing comes any more.
    func runDidEnd(_ run: Run)
}

/// Why there is no run.
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

    var pid: pid_t? { child?.pid }

    /// Ends the command: TERM to its process group, KILL after the grace to what is left of it.
    func terminate() {
        if let child, !hasEnded { context.endings.end(child) }
    }

    /// After the exit: what still comes is no longer waited for.
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

// Starting. The child's ends of the pipes are closed here as soon as it has them.
extension Run {
    /// The pipes of one run.
    private struct Ends {
        let output: PipeEnds
        var errors: PipeEnds?
        var input: PipeEnds?

        init(_ plan: RunPlan) throws(SystemError) {
            output = try Descriptor.pipe(ours: .read)
            if plan.separatesStreams { errors = try Descriptor.pipe(ours: .read) }
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
        case .fed: input = ends.input?.theirs ?? -1
        }
        return ChildDescriptors(
            input: input, output: plan.outputFile?.descriptor.number ?? ends.output.theirs,
            emptiesOutput: plan.outputFile != nil, error: ends.errors?.theirs ?? ends.output.theirs,
            lock: plan.lock)
    }

    private func start(_ plan: RunPlan) throws(RunFailure) {
        let ends: Ends
        let pid: pid_t
        do throws(SystemError) {
            ends = try Ends(plan)
            // posix_spawn(3) gives no pidfd: the place for it must be there before there is a process.
            try context.reserve.fill()
            pid = try context.launcher.start(
                plan.arguments, as: plan.identity, Self.descriptors(plan, ends, context))
        } catch {
            throw RunFailure(reason: error)
        }
        try watch(pid)
        attach(ends.output, as: .standardOutput)
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
            // Without a pidfd nobody would learn of its end: it must not run on unseen.
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

    func didRead(_ bytes: Span<UInt8>, from stream: OutputStream) {
        owner.run(self, didOutput: bytes, on: stream)
    }

    func pipeDidEnd() {
        if status != nil { endIfComplete() }
    }
}

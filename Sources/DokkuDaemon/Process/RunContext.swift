// What all runs share: the loop, the program, and what must exist before a process does.

final class RunContext {
    let loop: EventLoop
    let launcher: Launcher
    let drain: PipeDrain
    let emptyInput = EmptyInput()
    let reserve = DescriptorReserve()
    let endings: Endings
    let builds: BuildRecords
    let tracing: Tracing
    let drainGrace: Duration
    /// Commands that run, or whose output has not ended.
    private(set) var runCount = 0

    /// `leftOverPipes` limits the pipes that stay open for processes that commands leave behind.
    init(
        loop: EventLoop, launcher: Launcher, killGrace: Duration, drainGrace: Duration,
        library: String = "/var/lib/dokku", tracing: Tracing = Tracing(environment: [:]),
        leftOverPipes: Int = DescriptorBudget.usualLeftOverPipes
    ) {
        self.loop = loop
        self.launcher = launcher
        self.drainGrace = drainGrace
        endings = Endings(loop: loop, grace: killGrace)
        builds = BuildRecords(library: library)
        self.tracing = tracing
        drain = PipeDrain(loop: loop, limit: leftOverPipes)
    }

    func runDidStart() { runCount += 1 }
    func runDidEnd() { runCount -= 1 }

    /// Whether another child may hold a run's open files, as each child does until its exec.
    var hasCopies: Bool { runCount > 1 }
}

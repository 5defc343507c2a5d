// Commands from their start to their end: small shell scripts, and the loop turned by hand.
import CEpollShim
import Glibc
import Testing

@testable import DokkuDaemon

@Suite final class RunTests {
    private let loop: EventLoop
    private let folder: Folder
    private let account: SpoolAccount

    init() throws {
        loop = try EventLoop()
        folder = try Folder()
        account = SpoolAccount(folder: folder.path, limit: 64 << 20)
    }

    /// Notes what a run tells.
    private final class Owner: RunOwner {
        var wantsOutput = true
        var exits = 0
        var ends = 0
        var output: [UInt8] = []
        var errors: [UInt8] = []
        var text: String { String(decoding: output, as: UTF8.self) }

        func run(_ run: Run, didOutput bytes: Span<UInt8>, on stream: OutputStream) {
            bytes.withUnsafeBufferPointer {
                if stream == .standardOutput { output += $0 } else { errors += $0 }
            }
        }
        func runDidExit(_ run: Run) { exits += 1 }
        func runDidEnd(_ run: Run) { ends += 1 }
    }

    private func context(
        _ program: String = "/bin/sh", kill: Duration = .seconds(100), drain: Duration = .seconds(100)
    ) -> RunContext {
        RunContext(
            loop: loop, launcher: Launcher(program: program, environment: [:]), killGrace: kill,
            drainGrace: drain)
    }

    private func plan(_ script: String) -> RunPlan { RunPlan(arguments: ["-c", script]) }

    /// A script's run to its end.
    private func finish(_ plan: RunPlan, _ context: RunContext? = nil) throws -> (
        Owner, DokkuDaemon.ExitStatus?
    ) {
        let owner = Owner()
        let run = try Run(plan, context: context ?? self.context(), owner: owner)
        try loop.turn(until: owner.ends > 0, "the end of the command")
        #expect(owner.exits == 1)
        #expect(owner.ends == 1)
        return (owner, run.status)
    }

    @Test func outputAndStatus() throws {
        let (owner, status) = try finish(plan("echo one; echo two >&2; exit 20"))
        #expect(owner.text == "one\ntwo\n")
        #expect(status == .exited(20))
    }

    @Test func twoPipesKeepStreamsApart() throws {
        var plan = plan("echo one; echo two >&2")
        plan.separatesStreams = true
        let (owner, status) = try finish(plan)
        #expect(owner.text == "one\n")
        #expect(owner.errors == Array("two\n".utf8))
        #expect(status?.isSuccess == true)
    }

    @Test func aSignalIsNoStatus() throws {
        let (_, status) = try finish(plan("kill -USR1 $$"))
        #expect(status == .signalled(SIGUSR1))
    }

    @Test func outputOfAnySizeIsWhole() throws {
        let (owner, _) = try finish(plan("i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done"))
        #expect(owner.text == (0..<20000).map { "\($0)\n" }.joined())
    }

    @Test func withoutInputTheChildReadsAnEmptyPipe() throws {
        let (owner, _) = try finish(plan("[ -p /dev/stdin ] && echo pipe; cat; echo end"))
        #expect(owner.text == "pipe\nend\n")
    }

    @Test func theChildLeadsASessionOfItsOwn() throws {
        let (owner, _) = try finish(plan("cut -d' ' -f5,6 /proc/$$/stat; echo $$ $$"))
        let lines = owner.text.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first == lines.last)
    }

    // MARK: Ends in either order

    @Test func aPipeThatEndsFirstIsNotTheEnd() throws {
        let fifo = try makeFIFO()
        let owner = Owner()
        let run = try Run(
            plan("exec >&- 2>&-; read line < \(folder.path("fifo")); exit 3"), context: context(),
            owner: owner)
        try release(fifo)
        try loop.turn(until: owner.ends > 0)
        #expect(run.status == .exited(3))
    }

    @Test func aGrandchildThatHoldsThePipeDelaysNobody() throws {
        let fifo = try makeFIFO()
        let context = context(drain: .zero)
        let owner = Owner()
        let run = try Run(
            plan("(read line < \(folder.path("fifo")); echo late) & echo soon"), context: context,
            owner: owner)
        try loop.turn(until: owner.ends > 0)
        #expect(run.status == .exited(0))
        #expect(owner.text == "soon\n")
        #expect(!context.drain.isEmpty)
        try release(fifo)
        // What it writes later is read and thrown away, until it ends by itself.
        try loop.turn(until: context.drain.isEmpty)
        #expect(owner.text == "soon\n")
    }

    @Test func outputWithinTheDrainGraceCounts() throws {
        let fifo = try makeFIFO()
        let owner = Owner()
        _ = try Run(
            plan("(read line < \(folder.path("fifo")); echo late) & echo soon"), context: context(),
            owner: owner)
        try loop.turn(until: owner.exits > 0)
        #expect(owner.ends == 0)
        try release(fifo)
        try loop.turn(until: owner.ends > 0)
        #expect(owner.text == "soon\nlate\n")
    }

    // MARK: Ending it

    @Test func terminateEndsTheWholeGroup() throws {
        let owner = Owner()
        let run = try Run(plan("sleep 1000 & echo ready; wait"), context: context(), owner: owner)
        try loop.turn(until: owner.text == "ready\n")
        run.terminate()
        // The sleeper holds the pipe: its end is the end of all.
        try loop.turn(until: owner.ends > 0)
        #expect(run.status == .signalled(SIGTERM))
    }

    @Test func whoIgnoresTheFirstSignalGetsTheLast() throws {
        let owner = Owner()
        let run = try Run(
            plan("trap '' TERM; echo ready; while :; do sleep 1000; done"), context: context(kill: .zero),
            owner: owner)
        try loop.turn(until: owner.text == "ready\n")
        run.terminate()
        try loop.turn(until: owner.ends > 0)
        #expect(run.status == .signalled(SIGKILL))
    }

    // MARK: Input

    private func input(_ bytes: [UInt8]) throws -> RunInput {
        let spool = Spool(account: account)
        try spool.append(bytes.span)
        return .spool(spool)
    }

    @Test(arguments: [0, 10, 3_000_000]) func inputIsFedToItsEnd(count: Int) throws {
        var plan = plan("cat")
        let sample = Sample.bytes(count)
        plan.input = try input(sample)
        let (owner, status) = try finish(plan)
        let isSame = owner.output == sample
        #expect(isSame)
        #expect(status?.isSuccess == true)
    }

    @Test func aChildThatDoesNotReadIsNoError() throws {
        var plan = plan("exit 0")
        plan.input = try input(Sample.bytes(3_000_000))
        let (_, status) = try finish(plan)
        #expect(status?.isSuccess == true)
        plan.input = .empty
        #expect(account.used == 0)
    }

    @Test func filesStandForInputAndOutput() throws {
        var plan = plan("cat; echo warning >&2")
        plan.input = .file(OpenFile(try Descriptor.open(folder.write("from a file", to: "in"), O_RDONLY)))
        plan.outputFile = OpenFile(try Descriptor.open(folder.path("out"), O_WRONLY | O_CREAT, mode: 0o600))
        let (owner, _) = try finish(plan)
        #expect(owner.text == "warning\n")
        #expect(try folder.read("out") == "from a file")
    }

    // MARK: Faults

    @Test(arguments: [("/none/dokku", ENOENT), ("dokku-that-is-nowhere", ENOENT), ("/etc", EACCES)])
    func aProgramThatCannotBeStarted(program: String, number: Int32) throws {
        let owner = Owner()
        let error = #expect(throws: SystemError.self) {
            _ = try Run(self.plan("x"), context: self.context(program), owner: owner)
        }
        #expect(error?.number == number)
        try loop.turnOnce()
        #expect(owner.exits == 0)
        #expect(owner.ends == 0)
    }

    // MARK: Helpers

    /// Open for both, so that neither side waits for the other to open it.
    private func makeFIFO() throws -> Int32 {
        try #require(mkfifo(folder.path("fifo"), 0o600) == 0)
        return try Descriptor.open(folder.path("fifo"), O_RDWR).relinquish()
    }

    private func release(_ fifo: Int32) throws {
        #expect(write(fifo, "\n", 1) == 1)
        fifos.append(OpenFile(Descriptor(owning: fifo)))
    }
    private var fifos: [OpenFile] = []
}

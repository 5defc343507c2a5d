// Commands from their start to their end: small shell scripts, and the loop turned by hand.
import CEpollShim
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

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
        var isShared: Bool { false }
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
        var inputFailures: [SystemError] = []
        func run(_ run: Run, inputDidFail error: SystemError) { inputFailures.append(error) }
        func runDidExit(_ run: Run, _ status: DokkuProtocol.ExitStatus) { exits += 1 }
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
        Owner, DokkuProtocol.ExitStatus?
    ) {
        let owner = Owner()
        let run = try Run(plan, context: context ?? self.context(), owner: owner)
        try loop.turn(until: owner.ends > 0, "the end of the command")
        #expect(owner.exits == 1)
        #expect(owner.ends == 1)
        return (owner, run.status)
    }

    @Test func `a run has output and a status`() throws {
        let (owner, status) = try finish(plan("echo one; echo two >&2; exit 20"))
        #expect(owner.text == "one\ntwo\n")
        #expect(status == .exited(20))
    }

    @Test func `two pipes keep the streams apart`() throws {
        var plan = plan("echo one; echo two >&2")
        plan.separatesStreams = true
        let (owner, status) = try finish(plan)
        #expect(owner.text == "one\n")
        #expect(owner.errors == Array("two\n".utf8))
        #expect(status?.isSuccess == true)
    }

    @Test func `a signal is no status`() throws {
        let (_, status) = try finish(plan("kill -USR1 $$"))
        #expect(status == .signalled("SIGUSR1"))
    }

    @Test func `output of any size is whole`() throws {
        let (owner, _) = try finish(plan("i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done"))
        #expect(owner.text == (0..<20000).map { "\($0)\n" }.joined())
    }

    @Test func `a child without input reads an empty file`() throws {
        let (owner, _) = try finish(
            plan("[ -c /dev/stdin ] || [ -t 0 ] || echo no terminal; cat; cat /dev/stdin; echo end"))
        #expect(owner.text == "no terminal\nend\n")
    }

    /// Both children have the same file, and one that is left behind may look for it at any time.
    @Test func `nobody can write into the empty input of another`() throws {
        let (forOne, forOther) = (try makeFIFO("one"), try makeFIFO("other"))
        let context = context()
        let (one, other) = (Owner(), Owner())
        let writer =
            "read line < \(folder.path("one")); "
            + "for way in '>' '>>' '<>'; do eval \"echo injected 1$way /proc/self/fd/0\"; done; echo tried"
        let first = try Run(plan(writer), context: context, owner: one)
        let second = try Run(
            plan("read line < \(folder.path("other")); cat; echo end"), context: context, owner: other)
        try release(forOne)
        try loop.turn(until: one.ends > 0)
        #expect(one.text.hasSuffix("tried\n"))
        try release(forOther)
        try loop.turn(until: other.ends > 0)
        #expect(other.text == "end\n")
        #expect(first.status == .exited(0) && second.status == .exited(0))
    }

    @Test func `the child leads a session of its own`() throws {
        let (owner, _) = try finish(plan("cut -d' ' -f5,6 /proc/$$/stat; echo $$ $$"))
        let lines = owner.text.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first == lines.last)
    }

    // MARK: ConnectedPair in either order

    @Test func `a pipe that ends first is not the end`() throws {
        let fifo = try makeFIFO()
        let owner = Owner()
        let run = try Run(
            plan("exec >&- 2>&-; read line < \(folder.path("fifo")); exit 3"), context: context(),
            owner: owner)
        try release(fifo)
        try loop.turn(until: owner.ends > 0)
        #expect(run.status == .exited(3))
    }

    @Test func `a grandchild that holds the pipe delays nobody`() throws {
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

    @Test func `output within the drain grace counts`() throws {
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

    @Test func `terminate ends the whole group`() throws {
        let owner = Owner()
        let run = try Run(plan("sleep 1000 & echo ready; wait"), context: context(), owner: owner)
        try loop.turn(until: owner.text == "ready\n")
        run.terminate()
        // The sleeper holds the pipe: its end is the end of all.
        try loop.turn(until: owner.ends > 0)
        #expect(run.status == .signalled("SIGTERM"))
    }

    @Test func `a child that ignores the first signal gets the last`() throws {
        let owner = Owner()
        let run = try Run(
            plan("trap '' TERM; echo ready; while :; do sleep 1000; done"), context: context(kill: .zero),
            owner: owner)
        try loop.turn(until: owner.text == "ready\n")
        run.terminate()
        try loop.turn(until: owner.ends > 0)
        #expect(run.status == .signalled("SIGKILL"))
    }

    // MARK: Input

    private func input(_ bytes: [UInt8]) throws -> Spool {
        let spool = Spool(account: account)
        try spool.append(bytes.span)
        return spool
    }

    @Test(arguments: [0, 10, 3_000_000]) func `input is fed to its end`(count: Int) throws {
        var plan = plan("cat")
        let sample = Sample.bytes(count)
        plan.input = .fed(.spool(try input(sample)))
        let (owner, status) = try finish(plan)
        let isSame = owner.output == sample
        #expect(isSame)
        #expect(status?.isSuccess == true)
    }

    @Test func `a child that does not read is no error`() throws {
        var plan = plan("exit 0")
        plan.input = .fed(.spool(try input(Sample.bytes(3_000_000))))
        let (_, status) = try finish(plan)
        #expect(status?.isSuccess == true)
        plan.input = .empty
        #expect(account.budget.used == 0)
    }

    @Test(arguments: [0, 10, 300_000]) func `a file is fed through a pipe`(count: Int) throws {
        let text = String(repeating: "0123456789", count: count / 10)
        let file = OpenFile(try Descriptor.open(folder.write(text, to: "in"), O_RDONLY))
        var plan = plan("[ -p /dev/stdin ] && cat")
        plan.input = .fed(.file(file))
        let (owner, status) = try finish(plan)
        #expect(owner.text == text && status == .exited(0))
    }

    /// The child must not take the end of what could be read for the end of its input.
    @Test func `input that cannot be read leaves the child waiting until it is ended`() throws {
        var plan = plan("cat; echo taken for all")
        // Nothing is mapped at address 0, and so nothing can be read there.
        plan.input = .fed(.file(OpenFile(try Descriptor.open("/proc/self/mem", O_RDONLY))))
        let owner = Owner()
        let run = try Run(plan, context: context(), owner: owner)
        try loop.turn(until: !owner.inputFailures.isEmpty)
        #expect(owner.inputFailures.map(\.number) == [EIO])
        run.terminate()
        try loop.turn(until: owner.ends > 0)
        #expect(owner.text == "" && owner.inputFailures.count == 1)
        #expect(run.status == .signalled("SIGTERM"))
    }

    @Test func `files stand for input and output`() throws {
        var plan = plan("cat; echo warning >&2")
        plan.input = .file(OpenFile(try Descriptor.open(folder.write("from a file", to: "in"), O_RDONLY)))
        plan.output = .emptied(
            OpenFile(try Descriptor.open(folder.path("out"), O_WRONLY | O_CREAT, mode: 0o600)))
        let (owner, _) = try finish(plan)
        #expect(owner.text == "warning\n")
        #expect(try folder.read("out") == "from a file")
    }

    // MARK: Faults

    @Test(arguments: [("/none/dokku", ENOENT), ("dokku-that-is-nowhere", ENOENT), ("/etc", EACCES)])
    func `a program that cannot be started is an error`(program: String, number: Int32) throws {
        let owner = Owner()
        let error = #expect(throws: RunFailure.self) {
            _ = try Run(self.plan("x"), context: self.context(program), owner: owner)
        }
        #expect(error?.reason.number == number)
        #expect(error?.hasStarted == false)
        try loop.turnOnce()
        #expect(owner.exits == 0)
        #expect(owner.ends == 0)
    }

    /// Nothing that can be known before the start empties the file.
    @Test(arguments: ["/none/dokku", "/etc", "dokku-that-is-nowhere", "/bin/sh"])
    func `a start that fails leaves the file as it was`(program: String) throws {
        let file = try folder.write("what was there", to: "out")
        var plan = plan(program == "/bin/sh" ? String(repeating: "x", count: 200_000) : "exit 0")
        plan.output = .emptied(OpenFile(try Descriptor.open(file, O_WRONLY)))
        #expect(throws: RunFailure.self) {
            _ = try Run(plan, context: self.context(program), owner: Owner())
        }
        #expect(try folder.read("out") == "what was there")
        plan.arguments = ["-c", "echo new"]
        _ = try finish(plan)
        #expect(try folder.read("out") == "new\n")
    }

    /// What the daemon itself ends must not outlive it, and what ignores TERM has no more time then.
    @Test func `a child that was to end is killed with the daemon`() throws {
        let owner = Owner()
        let context = context()
        let run = try Run(
            plan("trap '' TERM; echo ready; while :; do sleep 1000; done"), context: context, owner: owner)
        try loop.turn(until: owner.text == "ready\n")
        run.terminate()
        context.endings.killAll()
        try loop.turn(until: owner.ends > 0)
        #expect(run.status == .signalled("SIGKILL"))
    }

    // MARK: Helpers

    /// Open for both, so that neither side waits for the other to open it.
    private func makeFIFO(_ name: String = "fifo") throws -> Int32 {
        try #require(mkfifo(folder.path(name), 0o600) == 0)
        return try Descriptor.open(folder.path(name), O_RDWR).relinquish()
    }

    private func release(_ fifo: Int32) throws {
        #expect(write(fifo, "\n", 1) == 1)
        fifos.append(OpenFile(Descriptor(owning: fifo)))
    }
    private var fifos: [OpenFile] = []
}

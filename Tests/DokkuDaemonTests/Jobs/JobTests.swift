// A job between who asked for it and the process that does it.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

extension Job {
    fileprivate var hasEnded: Bool { if case .ended = state { true } else { false } }
}

@Suite final class JobTests: JobOwner, AudienceOwner {
    private let loop: EventLoop
    private let observer = JobRecorder()
    private let folder: Folder
    private var exits = 0
    private var ends = 0

    init() throws {
        loop = try EventLoop()
        folder = try Folder()
    }

    func jobDidStart(_ job: Job) {}
    func processDidExit(for audience: Audience) { exits += 1 }
    func leadDidChange(of audience: Audience) {}
    func runDidEnd(for audience: Audience) {}
    func jobDidEnd(_ job: Job) { ends += 1 }

    private func start(
        _ script: String, lane: Lane = .queue, timeout: Duration? = nil, drain: Duration = .seconds(100),
        outputLimit: Int = 1 << 20, program: String = "/bin/sh"
    ) -> Job {
        var command = Command.sample(["-c", script], lane: lane)
        command.request.timeout = timeout
        let job = Job.sample(1, command, observer: observer, owner: self, outputLimit: outputLimit)
        _ = Audience(job, owner: self).start(
            lock: -1,
            context: RunContext(
                loop: loop, launcher: Launcher(program: program, environment: [:]), killGrace: .seconds(100),
                drainGrace: drain))
        return job
    }

    private func finish(_ job: Job) throws {
        try loop.turn(until: observer.hasEnded, "the job's end")
        #expect(exits == (job.status == nil ? 0 : 1))
        #expect(ends == 1)
        #expect(job.hasEnded)
        #expect(observer.events == [.started, .ended])
    }

    @Test func `a job that succeeds reports its status and output`() throws {
        let job = start("echo done")
        try finish(job)
        #expect(job.isSuccess)
        #expect(observer.text == "done\n")
        #expect(job.outputCount == 5)
    }

    @Test func `a job that cannot be started says so`() throws {
        let job = start("x", program: "/none/dokku")
        try finish(job)
        #expect(job.status == nil)
        #expect(job.failure?.reason.code == .spawnFailed)
        #expect(job.failure?.reason.text == "/none/dokku: No such file or directory")
    }

    @Test func `output is cut at its limit and the command goes on`() throws {
        let job = start("echo 0123456789; echo more; exit 3", outputLimit: 4)
        try finish(job)
        #expect(observer.text == "0123")
        #expect(job.failure?.reason.code == .outputTruncated)
        #expect(job.status == .exited(3))
    }

    /// What an end says does not hide that output is missing before it, and what comes after the gap is not told.
    @Test func `a job that was cut and then ended says both`() throws {
        let job = start(
            "exec 2>/dev/null; trap 'echo late; exit 3' TERM; echo early; while :; do sleep 0.01; done")
        try loop.turn(until: observer.text == "early\n")
        job.truncate(Refusal(code: .outputTruncated, text: "cut"))
        job.interrupt(Refusal(code: .cancelled, text: "cancelled"))
        try finish(job)
        #expect(observer.text == "early\n")
        #expect(job.failure?.reasons.map(\.code) == [.outputTruncated, .cancelled])
        #expect(job.failure?.reason.code == .cancelled)
        #expect(job.failure?.isOutputCut == true)
    }

    @Test func `a job that was ended and then cut says both`() throws {
        let job = start(
            "exec 2>/dev/null; trap 'echo 0123456789; exit 3' TERM; echo a; while :; do sleep 0.01; done",
            outputLimit: 4)
        try loop.turn(until: observer.text == "a\n")
        job.interrupt(.shuttingDown)
        try finish(job)
        #expect(observer.text == "a\n01")
        #expect(job.failure?.reason.code == .shuttingDown)
        #expect(job.failure?.isOutputCut == true)
    }

    @Test func `a time-out ends the job`() throws {
        let job = start("sleep 1000", timeout: .milliseconds(1))
        try finish(job)
        #expect(job.failure?.reason.code == .timeout)
        #expect(job.status == .signalled("SIGTERM"))
    }

    @Test func `the first reason stays`() throws {
        let job = start("echo ready; sleep 1000")
        try loop.turn(until: observer.text == "ready\n")
        job.interrupt(Refusal(code: .cancelled, text: "one"))
        job.interrupt(.shuttingDown)
        try finish(job)
        #expect(job.failure?.reason.code == .cancelled)
    }

    @Test func `a waiting job is over at once`() {
        let job = Job.sample(1, observer: observer)
        job.interrupt(.shuttingDown)
        job.interrupt(.shuttingDown)
        #expect(observer.events == [.ended])
        #expect(job.failure == .ended(.shuttingDown))
        #expect(job.startedAt == nil)
    }

    /// What has exited was not cut short: only its last output is not waited for any more.
    @Test func `an interruption after the exit changes no result`() throws {
        let job = start("sleep 1000 & echo done $!")
        try loop.turn(until: exits == 1)
        #expect(!observer.hasEnded)
        job.interrupt(.shuttingDown)
        #expect(observer.hasEnded)
        #expect(job.isSuccess)
        let sleeper = try #require(pid_t(observer.text.split(whereSeparator: \.isWhitespace)[1]))
        // After a normal exit nothing is signalled.
        #expect(kill(sleeper, SIGKILL) == 0)
    }

    @Test func `a time that runs out after the exit is no time-out`() throws {
        try #require(mkfifo(folder.path("fifo"), 0o600) == 0)
        let fifo = try Descriptor.open(folder.path("fifo"), O_RDWR)
        let job = start("(read line < \(folder.path("fifo")); echo late) & echo soon", timeout: .seconds(1))
        try loop.turn(until: exits == 1)
        loop.timers.fire(until: .now + .seconds(50))
        #expect(!observer.hasEnded)
        _ = try fifo.write([10])
        try finish(job)
        #expect(job.isSuccess)
        #expect(observer.text == "soon\nlate\n")
    }

    /// It may be writing, and come to its end only behind that.
    @Test func `a followed command that is told to end is not held up by its reader`() throws {
        let job = start("trap '' TERM; echo on; head -c 3000000 /dev/zero; exit 3", lane: .follow)
        try loop.turn(until: observer.text.hasPrefix("on\n"))
        observer.wantsOutput = false
        try loop.turnOnce()
        job.interrupt(Refusal(code: .cancelled, text: "cancelled"))
        try finish(job)
        #expect(job.status == .exited(3))
        #expect(job.failure?.reason.code == .cancelled && job.failure?.isOutputCut == true)
        // What its reader did not want is not kept for it.
        #expect(observer.output.count < 2_000_000)
    }

    @Test func `a followed command's last words are read however slow its reader is`() throws {
        observer.wantsOutput = false
        // Another test's process may have the pipe for a moment, until it has become its program.
        let job = start("echo last words", lane: .follow, drain: .milliseconds(1))
        try finish(job)
        #expect(observer.text == "last words\n")
        #expect(job.isSuccess)
    }

    /// It was accepted before `trace:on`, and would print what dokku reads.
    @Test(arguments: [true, false])
    func `a read-only job does not start while dokku traces`(isRestricted: Bool) throws {
        try folder.makeFolder(".dokkurc")
        try folder.write("export DOKKU_TRACE=1\n", to: ".dokkurc/DOKKU_TRACE")
        var peer = Peer.sample
        peer.rules.options = isRestricted ? .readOnly : []
        let job = Job.sample(1, .sample(["-c", "echo ran"]), observer: observer, owner: self, peer: peer)
        _ = Audience(job, owner: self).start(
            lock: -1,
            context: RunContext(
                loop: loop, launcher: Launcher(program: "/bin/sh", environment: [:]),
                killGrace: .seconds(100), drainGrace: .seconds(100),
                tracing: Tracing(environment: ["DOKKU_ROOT": folder.path])))
        try finish(job)
        #expect(observer.text == (isRestricted ? "" : "ran\n"))
        #expect(job.failure?.reason.code == (isRestricted ? .denied : nil))
    }

    @Test func `a job whose input cannot be read is ended and says so`() throws {
        // The name is what it looks for in its input.
        var command = Command.sample(["git:auth"])
        command.request = RunRequest(Redirection(direction: .input, path: Array("/proc/self/mem".utf8)))
        let job = Job.sample(1, command, observer: observer, owner: self)
        _ = Audience(job, owner: self).start(
            lock: -1,
            context: RunContext(
                loop: loop, launcher: Launcher(program: "/bin/grep", environment: [:]),
                killGrace: .seconds(100), drainGrace: .seconds(100)))
        try finish(job)
        #expect(job.status == .signalled("SIGTERM") && observer.text == "")
        #expect(job.failure?.reason.code == .inputFailed)
    }
}

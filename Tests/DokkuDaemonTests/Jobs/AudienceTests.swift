// Several jobs that one run serves: each gets all of it, and none takes it from the others.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite final class AudienceTests: AudienceOwner {
    private let loop: EventLoop
    private let folder: Folder
    private let fifo: Int32
    private var observers: [JobRecorder] = []
    private var exits = 0
    private var ends = 0

    init() throws {
        loop = try EventLoop()
        folder = try Folder()
        try #require(mkfifo(folder.path("fifo"), 0o600) == 0)
        fifo = open(folder.path("fifo"), O_RDWR | O_CLOEXEC)
        try #require(fifo >= 0)
    }

    deinit { close(fifo) }

    /// Lets the script go on that reads the FIFO.
    private func release() { #expect(write(fifo, "\n", 1) == 1) }

    func processDidExit(for audience: Audience) { exits += 1 }
    func leadDidChange(of audience: Audience) {}
    func runDidEnd(for audience: Audience) { ends += 1 }

    private func start(
        _ script: String, count: Int = 3, timeout: Duration? = nil, program: String = "/bin/sh"
    ) -> [Job] {
        var command = Command.sample(["-c", script])
        command.request.timeout = timeout
        observers = (0..<count).map { _ in JobRecorder() }
        let jobs = observers.enumerated().map { Job.sample(UInt64($0 + 1), command, observer: $1) }
        _ = Audience(jobs[0], and: jobs.dropFirst(), owner: self).start(
            lock: -1,
            context: RunContext(
                loop: loop, launcher: Launcher(program: program, environment: [:]), killGrace: .seconds(100),
                drainGrace: .seconds(100)))
        return jobs
    }

    private func finish() throws { try loop.turn(until: observers.allSatisfy(\.hasEnded), "the jobs' end") }

    @Test func `each gets the whole output and the status`() throws {
        let jobs = start("echo one; echo two; exit 3")
        try finish()
        #expect(observers.map(\.text) == Array(repeating: "one\ntwo\n", count: 3))
        #expect(jobs.map(\.status) == Array(repeating: .exited(3), count: 3))
        #expect(jobs.map(\.lead) == [nil, 1, 1])
        #expect(observers.allSatisfy { $0.events == [.started, .ended] })
        #expect(exits == 1 && ends == 1)
    }

    @Test(arguments: 0..<3) func `whoever leaves takes it from nobody`(leaver: Int) throws {
        let jobs = start("echo ready; read line < \(folder.path("fifo")); echo done")
        try loop.turn(until: observers.allSatisfy { $0.text == "ready\n" })
        jobs[leaver].interrupt(Refusal(code: .cancelled, text: "cancelled"))
        #expect(observers.map(\.hasEnded) == (0..<3).map { $0 == leaver })
        #expect(jobs[leaver].failure?.reason.code == .cancelled && jobs[leaver].status == nil)
        release()
        try finish()
        for (index, job) in jobs.enumerated() where index != leaver {
            #expect(job.status == .exited(0) && observers[index].text == "ready\ndone\n")
        }
        #expect(observers[leaver].text == "ready\n")
    }

    @Test func `the last one's cancel ends the run`() throws {
        let jobs = start("echo ready; sleep 1000")
        try loop.turn(until: observers.allSatisfy { $0.text == "ready\n" })
        for job in jobs { job.interrupt(Refusal(code: .cancelled, text: "cancelled")) }
        #expect(observers.map(\.hasEnded) == [true, true, false])
        try finish()
        #expect(jobs[2].status == .signalled("SIGTERM") && jobs[2].failure?.reason.code == .cancelled)
    }

    @Test func `a time-out ends all of them alike`() throws {
        let jobs = start("sleep 1000", timeout: .milliseconds(1))
        try finish()
        #expect(jobs.map(\.status) == Array(repeating: .signalled("SIGTERM"), count: 3))
        #expect(jobs.allSatisfy { $0.failure?.reason.code == .timeout })
    }

    @Test func `a stop ends all of them alike`() throws {
        let jobs = start("echo ready; sleep 1000")
        try loop.turn(until: observers.allSatisfy { $0.text == "ready\n" })
        for job in jobs { job.interruptRun(.endedByStop) }
        #expect(observers.allSatisfy { !$0.hasEnded })
        try finish()
        #expect(jobs.map(\.status) == Array(repeating: .signalled("SIGTERM"), count: 3))
        #expect(jobs.allSatisfy { $0.failure?.reason.code == .shuttingDown })
    }

    @Test func `who does not wait for the last output takes it from nobody`() throws {
        let jobs = start("(read line < \(folder.path("fifo")); echo late) & echo soon")
        try loop.turn(until: exits == 1)
        jobs[1].interrupt(Refusal(code: .cancelled, text: "cancelled"))
        #expect(observers.map(\.hasEnded) == [false, true, false])
        #expect(jobs[1].isSuccess && observers[1].text == "soon\n")
        release()
        try finish()
        #expect(observers[0].text == "soon\nlate\n" && observers[2].text == "soon\nlate\n")
    }

    @Test func `none starts if the program cannot be started`() throws {
        let jobs = start("x", program: "/none/dokku")
        #expect(observers.allSatisfy { $0.events == [.started, .ended] })
        #expect(jobs.allSatisfy { $0.failure?.reason.code == .spawnFailed && $0.status == nil })
        #expect(exits == 0 && ends == 0)
    }
}

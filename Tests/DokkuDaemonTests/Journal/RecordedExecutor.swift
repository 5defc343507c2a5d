// Commands that run in a test and are written down.

import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

/// Runs commands of a shell, written down as the daemon does it.
final class RecordedExecutor: JobObserver {
    let loop: EventLoop
    let executor: Executor
    private let places = Budget(limit: 100)
    private var ended: [UInt64] = []

    init(
        _ records: CommandRecords, folder: Folder, follow: Int = 1,
        complain: @escaping (String) -> Void = { _ in }
    ) throws {
        loop = try EventLoop()
        let launcher = Launcher(program: "/bin/sh", environment: [:])
        executor = Executor(
            limits: Executor.Limits(follow: follow, output: 1000, timeout: nil),
            lock: CommandLock(path: "\(folder.path)/lock"),
            context: RunContext(
                loop: loop, launcher: launcher, killGrace: .seconds(60), drainGrace: .seconds(60)),
            records: records, complain: complain)
    }

    /// The shell runs the script, and takes the words of the command as its parameters.
    @discardableResult
    func submit(
        _ script: String, as words: [String] = ["apps:list"], lane: Lane = .queue, listener: String = "/s",
        cgroup: String? = nil, isRestricted: Bool = false
    ) throws -> Job {
        let invocation = try #require(Invocation(ArgumentList(["-c", script] + words), nameIndex: 2))
        let command = Command(invocation: invocation, lane: lane)
        let peer = Peer(
            pid: 11, uid: 22, gid: 33, cgroup: cgroup, listener: listener,
            rules: ListenerRules(isRestricted ? .readOnly : []))
        return try executor.submit(command, from: Submitter(places: places), peer: peer, observer: self)
    }

    /// Turns the loop until the job has ended.
    func finish(_ job: Job) throws {
        while !ended.contains(job.number) { try loop.turn(waiting: nil) }
    }

    func run(_ script: String, as words: [String] = ["apps:list"], listener: String = "/s") throws {
        try finish(submit(script, as: words, listener: listener))
    }

    var wantsOutput: Bool { true }
    func jobWasAccepted(_ job: Job, place: @autoclosure () -> QueuePlace) -> Bool { true }
    func jobDidStart(_ job: Job) {}
    func job(_ job: any JobOutcome, didOutput bytes: Span<UInt8>, on stream: OutputStream) {}
    func jobDidEnd(_ job: any JobOutcome) { ended.append(job.number) }
}

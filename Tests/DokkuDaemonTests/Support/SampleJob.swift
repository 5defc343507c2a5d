// Jobs for tests, and an observer that writes down what becomes of them.
@testable import DokkuDaemon
@testable import DokkuProtocol

final class JobRecorder: JobObserver {
    enum Step: Equatable { case accepted, started, ended }

    var wantsOutput = true
    var isWanted = true
    var mayStart = true
    var mayEnd = true
    /// How often it was asked.
    private(set) var askCount = 0
    private(set) var place: QueuePlace?
    var position: Int? { place?.position }
    private(set) var events: [Step] = []
    private(set) var output: [UInt8] = []
    private(set) var errors: [UInt8] = []

    var hasEnded: Bool { events.last == .ended }
    var text: String { String(decoding: output, as: UTF8.self) }

    func jobWasAccepted(_ job: Job, place: @autoclosure () -> QueuePlace) -> Bool {
        self.place = place()
        note(.accepted)
        return isWanted
    }

    func jobMayStart(_ job: Job) -> Bool {
        askCount += 1
        return mayStart
    }

    func jobWillEnd(_ job: Job, _ reason: Refusal) throws(Refusal) {
        if !mayEnd { throw .storageFailed("") }
    }
    func jobDidStart(_ job: Job) { note(.started) }
    func jobDidEnd(_ job: any JobOutcome) { note(.ended) }

    func job(_ job: any JobOutcome, didOutput bytes: Span<UInt8>, on stream: OutputStream) {
        bytes.withUnsafeBufferPointer {
            if stream == .standardOutput { output += $0 } else { errors += $0 }
        }
    }

    private func note(_ event: Step) {
        events.append(event)
    }
}

extension Command {
    /// `arguments` go to whatever program the launcher starts.
    static func sample(_ arguments: ArgumentList = ["apps:list"], lane: Lane = .queue) -> Command {
        guard let invocation = Invocation(arguments) else { preconditionFailure("no command") }
        return Command(invocation: invocation, lane: lane)
    }
}

extension Peer {
    static let sample = Peer(pid: 1, uid: 2, gid: 3, listener: "/s")
}

extension Job {
    static func sample(
        _ number: UInt64 = 1, _ command: Command = .sample(), observer: any JobObserver = JobRecorder(),
        owner: (any JobOwner)? = nil, outputLimit: Int = 1 << 20, peer: Peer = .sample,
        submitter: Submitter = Submitter(places: Budget(limit: 100))
    ) -> Job {
        Job(
            number: number, command: command, submitter: submitter, peer: peer, observer: observer,
            owner: owner,
            outputLimit: outputLimit, excerptLimit: 4096)
    }
}

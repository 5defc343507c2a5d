// Answers a request from the archive: with the output of a job until now, or until the job's end.
import DokkuProtocol

/// Reads as fast as its reader takes it, and step by step, so that nobody else waits.
///
/// |              | waiting            | reading                  | over |
/// |--------------|--------------------|--------------------------|------|
/// | job writes   | reading, if live   | –                        | –    |
/// | job ends     | reading            | –                        | –    |
/// | reader reads | reading            | –                        | –    |
/// | its turn     | –                  | reading, waiting or over | –    |
/// | interrupt    | over               | over                     | –    |
final class Playback: JobOutcome {
    enum Extent {
        /// This many bytes, which are there. What follows them is missing if the output was cut there.
        case untilNow(bytes: Int, cut: Refusal?)
        case untilEnd
    }

    private enum State {
        /// For more output, for the job's end, or for room at the reader's.
        case waiting
        /// It goes on when it has its turn.
        case reading
        case over
    }

    /// Bytes of one step, and of one for a live answer while all answers together hold much memory: it may be that the
    /// disk is full, and then each of a thousand readers who do not read keeps one in memory.
    private static let stepSize = 128 * 1024
    private static let smallStep = 8 * 1024

    let number: UInt64
    private let extent: Extent
    private let responder: any Responder
    private let archive: Archive
    private let followers: Followers
    private let turns: Turns
    /// The request's memory.
    private let reservation: Reservation?
    private var state = State.waiting
    /// What was read: whole pieces, bytes of the next one, and all bytes.
    private var position = (pieces: 0, offset: 0, bytes: 0)
    /// Why the rest is missing from this answer.
    private var cut: Refusal?

    /// `reservation` is kept until the answer is over.
    init(
        of number: UInt64, _ extent: Extent, for responder: any Responder, archive: Archive,
        followers: Followers, turns: Turns, reservation: Reservation?
    ) {
        self.number = number
        self.extent = extent
        self.responder = responder
        self.archive = archive
        self.followers = followers
        self.turns = turns
        self.reservation = reservation
    }

    /// Begins. From now on its responder and its job's followers keep it, until it is over.
    func start() {
        responder.awaits(self)
        followers.add(self, to: number)
        awaitTurn()
    }

    // MARK: Reading

    private func step() {
        guard let job = archive.job(number) else { return finish(.refused(.unknownJob)) }
        // A reply of one line begins with how the job has ended.
        if case .untilEnd = extent, !responder.isLive, job.ending == nil { return }
        do throws(Refusal) {
            try read(job)
        } catch {
            truncate(error)
            finish(.told)
        }
    }

    private func read(_ job: KeptJob) throws(Refusal) {
        if rest == 0 { return finish(.told) }
        guard responder.wantsOutput else { return }
        let hasPlenty = !responder.isLive || responder.sink.account.store.hasPlenty
        let size = hasPlenty ? Self.stepSize : Self.smallStep
        let pieces = try archive.output(of: number, from: position.pieces, limit: min(size, rest))
        for (stream, bytes) in pieces where cut == nil { tell(bytes, stream, size) }
        if pieces.isEmpty, position.bytes < job.outputCount {
            throw .lost("the file is damaged")
        } else if cut != nil || rest == 0 || pieces.isEmpty && job.ending != nil {
            finish(.told)
        } else if !pieces.isEmpty {
            awaitTurn()
        }
    }

    /// Tells what is left of a piece. If that is longer than a step, the rest is read again in the next one.
    private func tell(_ bytes: [UInt8], _ stream: OutputStream, _ size: Int) {
        let part = bytes[position.offset...].prefix(size)
        responder.job(self, didOutput: part.span, on: stream)
        position.bytes += part.count
        position.offset += part.count
        if position.offset < bytes.count { return }
        position.pieces += 1
        position.offset = 0
    }

    private func awaitTurn() {
        guard case .waiting = state else { return }
        state = .reading
        turns.add { [weak self] in self?.didComeToTurn() }
    }

    private func didComeToTurn() {
        guard case .reading = state else { return }
        state = .waiting
        step()
    }

    /// Bytes that this answer still wants.
    private var rest: Int {
        switch extent {
        case .untilNow(let bytes, _): bytes - position.bytes
        case .untilEnd: .max
        }
    }

    private enum Finish {
        case told
        case refused(Refusal)
    }

    private func finish(_ how: Finish) {
        if case .over = state { return }
        state = .over
        followers.remove(self, from: number)
        switch how {
        case .told: responder.jobDidEnd(self)
        case .refused(let reason): responder.refuse(reason)
        }
    }

    // MARK: What the answer tells

    private var ending: KeptJob.Ending? {
        if case .untilNow = extent { return nil }
        return archive.job(number)?.ending
    }

    var wasAskedByNumber: Bool { true }
    var waitsForReader: Bool { true }
    var endsWithClient: Bool { true }
    var hasRun: Bool { status != nil || failure?.reason.code == .interrupted }
    var isSuccess: Bool { failure == nil && status?.isSuccess == true }

    var status: ExitStatus? {
        switch extent {
        case .untilNow: .exited(0)
        case .untilEnd: ending?.status
        }
    }

    var failure: JobFailure? {
        guard let cut else { return knownFailure }
        return JobFailure.add(cut: cut, to: knownFailure)
    }

    private var knownFailure: JobFailure? {
        switch extent {
        case .untilNow(_, let cut): cut.map(JobFailure.cut)
        case .untilEnd: ending?.failure
        }
    }

    var queuedDuration: Duration { ending?.queued ?? .zero }
    var runDuration: Duration { ending?.ran ?? .zero }

    func truncate(_ reason: Refusal) { if cut == nil { cut = reason } }

    func interrupt(_ reason: Refusal) { finish(.refused(reason)) }

    func reconsiderOutput() { if responder.wantsOutput { awaitTurn() } }
}

extension Playback: Follower {
    func jobDidWrite() { if responder.isLive { awaitTurn() } }

    func jobDidEnd() { awaitTurn() }

    /// What runs may end in its grace, and is answered then.
    func daemonWillStop() {
        if archive.job(number)?.state == .waiting { finish(.refused(.shuttingDown)) }
    }
}

// Detached jobs: kept on disk from when they are accepted until they are forgotten.
import DokkuProtocol
import Glibc

/// Is told when waiting jobs can be taken.
protocol ArchiveOwner: AnyObject {
    /// The file that could not be used could be opened. Waiting jobs may be taken now, and numbers have changed.
    func archiveDidOpen()
}

/// The file is opened if it is there, and made for the first job. If it cannot be used, that is said once, and jobs
/// are refused. It is tried again, at first each second and then each minute.
final class Archive {
    struct Limits {
        /// How long results are kept.
        var keep: Duration
        /// Jobs that wait, run or have ended.
        var jobs: Int
        /// Bytes of output, input and words, and a little for each piece.
        var bytes: Int
    }

    private enum State {
        /// There is no file yet.
        case absent
        case unusable(DatabaseError, retry: Timer)
        case open(JobShelf)
    }

    private enum Trouble { case opening, writing, reading }

    private let folder: String
    private let path: String
    private let limits: Limits
    private let timers: TimerQueue
    private let patience: Duration
    private let complain: (String) -> Void
    private var state = State.absent
    private var troubles: Set<Trouble> = []
    private var untaken: [UInt64] = []
    private var expiry: Timer?
    private var endWriter: Timer?
    /// Nil before `start`.
    private weak var owner: (any ArchiveOwner)?

    private static let firstRetry = Duration.seconds(1)
    private static let lastRetry = Duration.seconds(60)
    private static let lastMoment = Duration.seconds(1)

    /// `complain` gets a line for people, once for each kind of trouble until it is over. `patience` is how long
    /// forgotten data may wait until they are overwritten.
    init(
        folder: String, limits: Limits, timers: TimerQueue, patience: Duration = .seconds(1),
        complain: @escaping (String) -> Void
    ) {
        self.folder = folder
        path = JobFile.path(in: folder)
        self.limits = limits
        self.timers = timers
        self.patience = patience
        self.complain = complain
    }

    deinit {
        expiry?.cancel()
        endWriter?.cancel()
        if case .unusable(_, let retry) = state { retry.cancel() }
    }

    /// Opens the file, if it is there. From now on `owner` is told when it could be opened late.
    func start(owner: (any ArchiveOwner)? = nil) {
        self.owner = owner
        if case .absent = state, JobFile.exists(path) { open(retryAfter: Self.firstRetry) }
    }

    /// Does what can wait no longer, because the process ends. Nothing else is called afterwards.
    func finish() { openShelf?.finish(until: .now + Self.lastMoment) }

    // MARK: Opening

    /// Makes sure that jobs can be kept. Call it before a job gets its number, which must be above `lastNumber`.
    func prepare() throws(Refusal) { _ = try shelf() }

    private func shelf() throws(Refusal) -> JobShelf {
        switch state {
        case .open(let shelf): return shelf
        case .unusable(let error, _): throw .storageFailed(error.text)
        case .absent: break
        }
        do throws(SystemError) {
            try JobFile.make(path)
        } catch {
            report(.opening, "cannot make \(path): \(error.reason)")
            throw .storageFailed(error.reason)
        }
        open(retryAfter: Self.firstRetry)
        guard case .absent = state else { return try shelf() }
        throw .storageFailed("it cannot be opened")
    }

    private func open(retryAfter pause: Duration) {
        do throws(DatabaseError) {
            let shelf = try JobShelf(folder: folder, timers: timers, patience: patience)
            state = .open(shelf)
            untaken = shelf.jobs.filter { $0.state == .waiting }.map(\.number)
            troubles.remove(.opening)
            planEnds(shelf)
            planExpiry(shelf)
        } catch {
            report(.opening, "cannot keep detached jobs in \(path): \(error)")
            let retry = timers.schedule(after: pause) { [weak self] in
                self?.reopen(retryAfter: min(pause * 2, Self.lastRetry))
            }
            state = .unusable(error, retry: retry)
        }
    }

    private func reopen(retryAfter pause: Duration) {
        open(retryAfter: pause)
        if case .open = state { owner?.archiveDidOpen() }
    }

    private var room: (jobs: Int, bytes: Int) { (limits.jobs, limits.bytes) }
    private var openShelf: JobShelf? { if case .open(let shelf) = state { shelf } else { nil } }

    private func report(_ trouble: Trouble, _ text: @autoclosure () -> String) {
        if troubles.insert(trouble).inserted { complain(text()) }
    }

    /// Tells people, and makes an error of the protocol of it.
    private func failed(_ trouble: Trouble, _ error: DatabaseError) -> Refusal {
        report(trouble, "cannot \(trouble == .reading ? "read" : "write") \(path): \(error)")
        return trouble == .reading ? .unreadable(error.text) : .storageFailed(error.text)
    }

    // MARK: Jobs

    /// Numbers up to this one are used, also those of jobs that are forgotten. 0 if there is no file.
    var lastNumber: UInt64 { openShelf?.lastNumber ?? 0 }

    /// All kept jobs, in the order of their numbers.
    var jobs: [KeptJob] { openShelf?.jobs ?? [] }

    /// Grows when other jobs are kept, or when one has ended. 0 if there is no file.
    var revision: Int { openShelf?.revision ?? 0 }

    func job(_ number: UInt64) -> KeptJob? { openShelf?.job(number) }

    /// The same for somebody who asks: an error if there is no such job, or if the file cannot be used.
    func find(_ number: UInt64) throws(Refusal) -> KeptJob {
        if let kept = job(number) { return kept }
        if case .unusable(let error, _) = state {
            throw .unreadable(error.text)
        }
        throw .unknownJob
    }

    /// What waited when the last daemon ended, in order, each with what is needed to run it. Each job is given once. A
    /// job that cannot be read ends.
    func takeWaiting() -> [(KeptJob, StoredCommand)] {
        guard let shelf = openShelf else { return [] }
        defer { untaken = [] }
        return untaken.compactMap { number in
            guard let kept = shelf.job(number), kept.state == .waiting else { return nil }
            do throws(DatabaseError) {
                if let command = try shelf.command(of: number) { return (kept, command) }
                end(unreadable: kept, .unreadable("its words are not whole"))
            } catch {
                end(unreadable: kept, failed(.reading, error))
            }
            return nil
        }
    }

    private func end(unreadable kept: KeptJob, _ reason: Refusal) {
        let queued = Duration.seconds(max(0, time(nil) - kept.queuedDate))
        markEnded(
            kept.number,
            KeptJob.Ending(
                status: nil, failure: .ended(reason), queued: queued, ran: .zero, date: time(nil)))
    }

    /// Writes a job down, synced. On failure nothing is kept, and `input` still belongs to the caller.
    func insert(_ job: Job, isRunning: Bool, input: StoredInput? = nil) throws(Refusal) {
        let shelf = try shelf()
        guard job.number > shelf.lastNumber else { throw .storageFailed("its number is used") }
        let arguments = job.command.invocation.arguments
        let price = PieceSet.price(arguments.byteCount, PieceTable.pieceCount(arguments.byteCount))
        guard let victims = shelf.victims(jobs: 1, bytes: price, within: room) else {
            throw Refusal(code: .queueFull, text: "Too many detached jobs wait and run")
        }
        let kept = KeptJob(
            number: job.number, title: job.title, peer: job.peer, queuedDate: job.queuedDate,
            startedDate: isRunning ? time(nil) : 0, state: isRunning ? .running : .waiting)
        do throws(DatabaseError) {
            try shelf.insert(kept, job.command, input: input, forgetting: victims)
        } catch {
            throw failed(.writing, error)
        }
        troubles.remove(.writing)
    }

    /// Written and synced when it returns. Call it before the process starts, and do not start it if this fails.
    func markRunning(_ number: UInt64) throws(Refusal) {
        do throws(DatabaseError) {
            try openShelf?.markRunning(number)
        } catch {
            throw failed(.writing, error)
        }
        troubles.remove(.writing)
    }

    /// The end is known at once. It is written and synced now, or as soon as that works.
    func markEnded(_ number: UInt64, _ ending: KeptJob.Ending) {
        guard let shelf = openShelf else { return }
        if !shelf.markEnded(number, ending) {
            report(.writing, "cannot write the end of job \(number) into \(path), and will try again")
        }
        planEnds(shelf)
        planExpiry(shelf)
    }

    /// Whether the end of a job could not be written yet.
    var hasUnwrittenEnds: Bool { openShelf?.unwritten.isEmpty == false }

    private func planEnds(_ shelf: JobShelf) {
        guard endWriter == nil, !shelf.unwritten.isEmpty else { return }
        endWriter = timers.schedule(after: Self.firstRetry) { [weak self] in
            guard let self else { return }
            endWriter = nil
            if shelf.writeEnds() { troubles.remove(.writing) }
            planEnds(shelf)
        }
    }

    // MARK: Output

    /// Adds output. It survives the daemon, but perhaps not a power cut. If it fails, nothing of `bytes` is kept, and
    /// the rest of the output is not to be kept either.
    func append(_ bytes: Span<UInt8>, stream: OutputStream, to number: UInt64) throws(Refusal) {
        guard let shelf = openShelf, bytes.count > 0 else { return }
        let price = PieceSet.price(bytes.count, PieceTable.pieceCount(bytes.count))
        guard shelf.hasPlaces(for: bytes.count, in: number),
            let victims = shelf.victims(jobs: 0, bytes: price, within: room)
        else { throw .cut("there is no more room for the output of detached jobs") }
        let copy = bytes.withUnsafeBufferPointer { Array($0) }
        do throws(DatabaseError) {
            try shelf.append(copy[...], stream: stream, to: number, forgetting: victims)
        } catch {
            _ = failed(.writing, error)
            throw .cut(error.text)
        }
        troubles.remove(.writing)
    }

    /// Pieces of the output from a position on, until they have `limit` bytes or more. The position counts pieces.
    /// Empty if there is no more. If they cannot be read, the output is cut there: the job has run all the same.
    func output(
        of number: UInt64, from position: Int, limit: Int
    ) throws(Refusal) -> [(OutputStream, [UInt8])] {
        _ = try find(number)
        guard let shelf = openShelf else { return [] }
        do throws(DatabaseError) {
            return try shelf.output(of: number, from: position, limit: limit)
        } catch {
            _ = failed(.reading, error)
            throw .lost(error.text)
        }
    }

    // MARK: Input

    /// Begins an input. It is kept with its job, or dropped.
    func beginInput() throws(Refusal) -> StoredInput { try shelf().beginInput() }

    func append(_ bytes: ArraySlice<UInt8>, to input: StoredInput) throws(Refusal) {
        let shelf = try shelf()
        if bytes.isEmpty { return }
        let price = PieceSet.price(bytes.count, PieceTable.pieceCount(bytes.count))
        guard shelf.hasPlaces(for: bytes.count, in: input),
            let victims = shelf.victims(jobs: 0, bytes: price, within: room)
        else {
            throw Refusal(code: .inputTooLong, text: "There is not enough room to keep the input")
        }
        do throws(DatabaseError) {
            try shelf.append(bytes, to: input, forgetting: victims)
        } catch {
            throw failed(.writing, error)
        }
        troubles.remove(.writing)
    }

    /// Its job is not accepted.
    func drop(_ input: StoredInput) { openShelf?.drop(input) }

    /// One piece of the input of a job that has not ended; empty if there is no more. The position counts pieces.
    func input(of number: UInt64, from position: Int) throws(Refusal) -> [UInt8] {
        do throws(DatabaseError) {
            return try openShelf?.input(of: number, from: position) ?? []
        } catch {
            throw failed(.reading, error)
        }
    }

    // MARK: Forgetting

    /// Whether nothing of what was forgotten is left in the files.
    var isClean: Bool { openShelf?.isClean ?? true }

    /// Forgets a job. False if it is not known, or has not ended. An error if that cannot be written.
    func forget(_ number: UInt64) throws(Refusal) -> Bool {
        if case .unusable = state { _ = try find(number) }
        guard let shelf = openShelf, shelf.job(number)?.ending != nil else { return false }
        do throws(DatabaseError) {
            try shelf.forget([number])
        } catch {
            throw failed(.writing, error)
        }
        planExpiry(shelf)
        return true
    }

    private func planExpiry(_ shelf: JobShelf) {
        expiry?.cancel()
        expiry = nil
        guard let first = shelf.firstEnd else { return }
        // If the clock was set back, a result is kept up to this time longer.
        let age = Duration.seconds(max(0, time(nil) - first))
        expiry = timers.schedule(after: max(limits.keep - age, .seconds(1))) { [weak self] in
            self?.expire(shelf)
        }
    }

    private func expire(_ shelf: JobShelf) {
        shelf.correctEnds()
        let keep = time_t(limits.keep.components.seconds)
        try? shelf.forget(shelf.ended(until: time(nil) - keep))
        planExpiry(shelf)
    }
}

extension Refusal {
    /// What was written is not all there any more.
    static func lost(_ reason: String) -> Refusal {
        Refusal(
            code: .outputTruncated, text: "The output was cut, because it could not be read back: \(reason)")
    }

    fileprivate static func cut(_ reason: String) -> Refusal {
        Refusal(code: .outputTruncated, text: "The output was cut: \(reason)")
    }
}

// Detached jobs: kept on disk from when they are accepted until they are forgotten.
import DokkuProtocol
import Glibc

/// Is told when waiting jobs can be taken.
protocol ArchiveOwner: AnyObject {
    /// The file was opened after the start. There may be waiting jobs in it.
    func archiveDidOpen()
}

/// Its file is made for the first job. If it cannot be used, that is said once, and jobs are refused; see `ShelfAccess`.
final class Archive {
    private let limits: KeepLimits
    private let timers: TimerQueue
    private let turns: Turns
    private let troubles: Troubles
    private let access: ShelfAccess
    private var untaken: [UInt64] = []
    /// Nil while there is no shelf.
    private var retention: Retention?
    private var endWriter: Timer?
    /// Nil before `start`.
    private weak var owner: (any ArchiveOwner)?

    private static let retryPause = Duration.seconds(1)
    private static let lastMoment = Duration.seconds(1)

    /// `complain` gets a line for people, once for each kind of trouble until it is over. `patience` is how long
    /// forgotten data may wait until they are overwritten.
    init(
        folder: String, limits: KeepLimits, numbers: JobNumbers, timers: TimerQueue, turns: Turns,
        patience: Duration = .seconds(1), complain: @escaping (String) -> Void
    ) {
        self.limits = limits
        self.timers = timers
        self.turns = turns
        troubles = Troubles(JobFile.path(in: folder), complain: complain)
        access = ShelfAccess(
            folder: folder, numbers: numbers, timers: timers, patience: patience, troubles: troubles)
    }

    deinit { endWriter?.cancel() }

    /// Opens the file, if it is there. From now on `owner` is told when it is opened later. Call it before there are
    /// jobs.
    func start(owner: (any ArchiveOwner)? = nil) {
        self.owner = owner
        access.start(owner: self)
    }

    /// Does what can wait no longer, because the process ends. Nothing else is called afterwards.
    func finish() { openShelf?.finish(until: .now + Self.lastMoment) }

    private var openShelf: JobShelf? { access.shelf }

    /// Throws if there is a file that cannot be used: then nobody knows which jobs are kept.
    func checkReadable() throws(Refusal) {
        if let fault = access.fault { throw .unreadable(fault.text) }
    }

    // MARK: Jobs

    /// Makes sure that jobs can be kept. Call it before a job gets its number. The file may be another daemon's, put here
    /// after the start: then `owner` is told first.
    func prepare() throws(Refusal) { _ = try access.prepare() }

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
        try checkReadable()
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
                end(unreadable: kept, troubles.cannotRead(error))
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
        let shelf = try access.prepare()
        guard job.number > shelf.lastNumber else { throw .storageFailed("its number is used") }
        let arguments = job.command.invocation.arguments
        let load = KeptLoad(jobs: 1) + .pieces(arguments.byteCount)
        guard
            let victims = shelf.victims(for: load, isRestricted: job.peer.isRestricted, within: limits)
        else {
            throw Refusal(code: .queueFull, text: "Too many detached jobs wait and run")
        }
        let kept = KeptJob(
            number: job.number, title: job.title, peer: job.peer, queuedDate: job.queuedDate,
            startedDate: isRunning ? time(nil) : 0, state: isRunning ? .running : .waiting)
        do throws(DatabaseError) {
            try shelf.insert(kept, job.command, input: input, forgetting: victims)
        } catch {
            throw troubles.cannotWrite(error)
        }
        troubles.isOver(.writing)
    }

    /// Written and synced when it returns. Call it before the process starts, and do not start it if this fails.
    func markRunning(_ number: UInt64) throws(Refusal) {
        do throws(DatabaseError) {
            try openShelf?.markRunning(number)
        } catch {
            throw troubles.cannotWrite(error)
        }
        troubles.isOver(.writing)
    }

    /// Ends a job that waits, so that it is never run. Written and synced when it returns; if it fails, the job waits on.
    func end(_ number: UInt64, _ ending: KeptJob.Ending) throws(Refusal) {
        do throws(DatabaseError) {
            try openShelf?.end(number, ending)
        } catch {
            _ = troubles.cannotWrite(error)
            throw .waitsOn(error.text)
        }
        troubles.isOver(.writing)
        retention?.jobsDidChange()
    }

    /// The end is known at once, unless it was known before. It is written and synced now, or as soon as that works.
    func markEnded(_ number: UInt64, _ ending: KeptJob.Ending) {
        guard let shelf = openShelf else { return }
        if !shelf.markEnded(number, ending) {
            troubles.reportEnd(of: number)
        }
        planEnds(shelf)
        retention?.jobsDidChange()
    }

    /// Whether the end of a job could not be written yet.
    var hasUnwrittenEnds: Bool { openShelf?.unwritten.isEmpty == false }

    private func planEnds(_ shelf: JobShelf) {
        guard endWriter == nil, !shelf.unwritten.isEmpty else { return }
        endWriter = timers.schedule(after: Self.retryPause) { [weak self] in
            guard let self else { return }
            endWriter = nil
            if shelf.writeEnds() { troubles.isOver(.writing) }
            planEnds(shelf)
        }
    }

    // MARK: Output

    /// Adds output. It survives the daemon, but perhaps not a power cut. If it fails, nothing of `bytes` is kept, and
    /// the rest of the output is not to be kept either.
    func append(_ bytes: Span<UInt8>, stream: OutputStream, to number: UInt64) throws(Refusal) {
        guard let shelf = openShelf, let kept = shelf.job(number), bytes.count > 0 else { return }
        guard shelf.hasPlaces(for: bytes.count, in: number),
            let victims = shelf.victims(
                for: .pieces(bytes.count), isRestricted: kept.peer.isRestricted, within: limits)
        else { throw .cut("there is no more room for the output of detached jobs") }
        let copy = bytes.withUnsafeBufferPointer { Array($0) }
        do throws(DatabaseError) {
            try shelf.append(copy[...], stream: stream, to: number, forgetting: victims)
        } catch {
            _ = troubles.cannotWrite(error)
            throw .cut(error.text)
        }
        troubles.isOver(.writing)
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
            _ = troubles.cannotRead(error)
            throw .lost(error.text)
        }
    }

    // MARK: Input

    /// Begins an input, perhaps one that comes through a restricted socket. It is kept with its job, or dropped.
    func beginInput(isRestricted: Bool = false) throws(Refusal) -> StoredInput {
        try access.prepare().beginInput(isRestricted: isRestricted)
    }

    func append(_ bytes: ArraySlice<UInt8>, to input: StoredInput) throws(Refusal) {
        let shelf = try access.prepare()
        if bytes.isEmpty { return }
        guard shelf.hasPlaces(for: bytes.count, in: input),
            let victims = shelf.victims(
                for: .pieces(bytes.count), isRestricted: input.isRestricted, within: limits)
        else {
            throw Refusal(code: .inputTooLong, text: "There is not enough room to keep the input")
        }
        do throws(DatabaseError) {
            try shelf.append(bytes, to: input, forgetting: victims)
        } catch {
            throw troubles.cannotWrite(error)
        }
        troubles.isOver(.writing)
    }

    /// Its job is not accepted.
    func drop(_ input: StoredInput) { openShelf?.drop(input) }

    /// One piece of the input of a job that has not ended; empty if there is no more. The position counts pieces.
    func input(of number: UInt64, from position: Int) throws(Refusal) -> [UInt8] {
        do throws(DatabaseError) {
            return try openShelf?.input(of: number, from: position) ?? []
        } catch {
            throw troubles.cannotRead(error)
        }
    }

    // MARK: Forgetting

    /// Whether nothing of what was forgotten is left in the files.
    var isClean: Bool { openShelf?.isClean ?? true }

    /// Forgets a job. False if it is not known, or has not ended. An error if that cannot be written.
    func forget(_ number: UInt64) throws(Refusal) -> Bool {
        try checkReadable()
        guard let shelf = openShelf, shelf.job(number)?.ending != nil else { return false }
        do throws(DatabaseError) {
            try shelf.forget([number])
        } catch {
            throw troubles.cannotWrite(error)
        }
        retention?.jobsDidChange()
        return true
    }
}

extension Archive: ShelfAccessOwner {
    func didOpen(_ shelf: JobShelf, isLate: Bool) {
        untaken = shelf.jobs.filter { $0.state == .waiting }.map(\.number)
        retention = Retention(shelf, limits, timers: timers, turns: turns)
        planEnds(shelf)
        if isLate { owner?.archiveDidOpen() }
    }
}

extension KeptLoad {
    /// So many bytes more of a job's data.
    fileprivate static func pieces(_ count: Int) -> KeptLoad {
        KeptLoad(bytes: PieceSet.price(count, PieceTable.pieceCount(count)))
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

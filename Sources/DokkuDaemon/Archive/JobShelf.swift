// The kept jobs of an open database: in memory what is asked for often, on disk everything.
import DokkuProtocol
import Glibc

/// An input that is written down before its job.
final class StoredInput {
    fileprivate(set) var data: PieceSet
    let isRestricted: Bool

    fileprivate init(_ data: PieceSet, isRestricted: Bool) {
        self.data = data
        self.isRestricted = isRestricted
    }

    /// Bytes so far.
    var count: Int { data.count }
}

/// A failed write leaves everything as it was, in memory and on disk, except for the end of a job: the memory knows
/// it at once, and its row is `unwritten` until it could be written.
final class JobShelf {
    private let path: String
    /// The files that are open, by which another one in their place is noticed.
    private var identities: [JobFile.Identity?] = []
    private let table: JobTable
    private let pieces: PieceTable
    private let commits: Commits
    private let eraser: Eraser
    private var rows: JobRows
    private(set) var lastNumber: UInt64
    private var nextSet: Int64 = 1
    /// The price of inputs whose jobs are not kept yet.
    private var inputs: (all: Int, restricted: Int) = (0, 0)
    /// Changes when other jobs are kept or have ended.
    private(set) var revision = 1
    /// Jobs whose end is not on disk yet.
    private(set) var unwritten: Set<UInt64> = []

    /// Opens the file. What ran has been interrupted, and what belongs to no job is overwritten. Fails if a number was
    /// given to another job meanwhile.
    init(
        folder: String, numbers: JobNumbers, timers: TimerQueue, patience: Duration
    ) throws(DatabaseError) {
        path = JobFile.path(in: folder)
        let database = try JobFile.open(path)
        let reserve = Reserve(in: folder)
        table = JobTable(database: database)
        pieces = PieceTable(database: database)
        commits = Commits(table, reserve)
        eraser = Eraser(pieces, reserve: reserve, timers: timers, patience: patience)
        lastNumber = try table.lastNumber()
        guard numbers.pass(lastNumber) else { throw .numbersAreGiven }
        rows = JobRows(try table.rows())
        for row in rows.all where row.kept.state == .running {
            interrupt(row.kept, try pieces.measure(row.output.id))
        }
        let named = rows.sets
        let found = try pieces.sets()
        nextSet = max(found.last ?? 0, named.max() ?? 0) + 1
        eraser.erase(found.filter { !named.contains($0) }.map { PieceSet(id: $0) })
        _ = reserve.fill()
        correctEnds()
        _ = writeEnds()
        identities = JobFile.identities(of: path)
    }

    private func interrupt(_ kept: KeptJob, _ output: PieceSet) {
        let queued = Duration.seconds(max(0, kept.startedDate - kept.queuedDate))
        rows.change(kept.number) { row in
            row.output = output
            row.kept.outputCount = output.count
            row.kept.state = .ended(
                KeptJob.Ending(
                    status: nil, failure: .ended(.interrupted), queued: queued, ran: .zero, date: time(nil)))
        }
        unwritten.insert(kept.number)
    }

    /// Tries once more to write what could not be written, and overwrites what was forgotten, as far as the time is
    /// enough.
    func finish(until end: Instant) {
        _ = writeEnds()
        eraser.finish(until: end)
    }

    // MARK: Looking

    /// Whether everything that was forgotten is overwritten.
    var isClean: Bool { eraser.isDone }

    var jobs: [KeptJob] { rows.all.map(\.kept) }

    func job(_ number: UInt64) -> KeptJob? { rows[number]?.kept }

    /// The jobs that must be forgotten before so much more may be kept, those first that ended first. Nil if that is
    /// not enough.
    func victims(for more: KeptLoad, isRestricted: Bool, within limits: KeepLimits) -> [UInt64]? {
        var victims = Victims()
        // Restricted sockets may not push out what others keep, once they have their share.
        if isRestricted {
            victims = rows.victims(
                for: (load(.restricted) + more).excess(over: limits.restrictedShare), in: .restricted)
        }
        victims = rows.victims(
            for: (load(.all) + more - victims.load).excess(over: limits), in: .all, besides: victims)
        return victims.isEnough ? victims.numbers : nil
    }

    /// The jobs that have ended and are too much.
    func surplus(within limits: KeepLimits) -> [UInt64] {
        rows.victims(for: load(.all).excess(over: limits), in: .all).numbers
    }

    private func load(_ part: KeptLoad.Part) -> KeptLoad {
        rows.load(part) + KeptLoad(bytes: part == .all ? inputs.all : inputs.restricted)
    }

    private func charge(_ price: Int, for input: StoredInput) {
        inputs.all += price
        if input.isRestricted { inputs.restricted += price }
    }

    /// The jobs that ended at or before this date.
    func ended(until date: time_t) -> [UInt64] { rows.ended(until: date) }

    /// No job has ended in the future. If it seems so, the clock was set back: then it counts as ended now. So its result
    /// is not kept for years, and those of later jobs are not forgotten before it.
    func correctEnds() {
        let now = time(nil)
        guard rows.limitEnds(to: now) else { return }
        revision += 1
        // If that fails, the next start does it again.
        try? table.database.transaction(.written) { () throws(DatabaseError) in try table.limitEnds(to: now) }
    }

    /// When the first of the kept jobs ended.
    var firstEnd: time_t? { rows.firstEnd }

    // MARK: Writing

    /// Writes a job down, and forgets others for it.
    func insert(
        _ kept: KeptJob, _ command: Command, input: StoredInput?, forgetting victims: [UInt64]
    ) throws(DatabaseError) {
        try checkFiles()
        var row = JobRow(
            kept: kept, form: StoredCommand.Form(command), output: PieceSet(id: nextSet + 1),
            input: input?.data)
        try add(.synced, forgetting: victims) { () throws(DatabaseError) in
            var words = PieceSet(id: nextSet)
            try pieces.append(
                command.invocation.arguments.storedBytes[...], stream: .standardOutput, to: &words)
            row.words = words
            try table.insert(row)
        }
        nextSet += 2
        rows.append(row)
        if let input { charge(-input.data.price, for: input) }
        revision += 1
        lastNumber = kept.number
    }

    func markRunning(_ number: UInt64) throws(DatabaseError) {
        guard rows[number] != nil else { return }
        let date = time(nil)
        try add(.synced) { () throws(DatabaseError) in try table.markRunning(number, date: date) }
        rows.change(number) { row in
            row.kept.startedDate = date
            row.kept.state = .running
        }
    }

    /// Ends a job. If it fails, the job has not ended.
    func end(_ number: UInt64, _ ending: KeptJob.Ending) throws(DatabaseError) {
        guard let row = rows[number], row.kept.ending == nil else { return }
        correctEnds()
        try write(ending, of: row)
        rows.change(number) { $0.kept.state = .ended(ending) }
        revision += 1
    }

    /// The job has ended. False if that could not be written yet; see `writeEnds`.
    func markEnded(_ number: UInt64, _ ending: KeptJob.Ending) -> Bool {
        guard let row = rows[number], row.kept.ending == nil else { return true }
        correctEnds()
        rows.change(number) { $0.kept.state = .ended(ending) }
        revision += 1
        unwritten.insert(number)
        return writeEnds()
    }

    /// Writes what could not be written before. False if something is left.
    func writeEnds() -> Bool {
        for number in unwritten {
            guard let row = rows[number], let ending = row.kept.ending else { continue }
            do throws(DatabaseError) {
                try write(ending, of: row)
            } catch {
                return false
            }
            unwritten.remove(number)
        }
        return true
    }

    private func write(_ ending: KeptJob.Ending, of row: JobRow) throws(DatabaseError) {
        try commits.makeRoom { () throws(DatabaseError) in try table.markEnded(row, ending) }
        rows.change(row.kept.number) { row in
            row.words = nil
            row.input = nil
        }
        eraser.erase([row.words, row.input].compactMap(\.self))
    }

    /// Forgets these jobs, all or none. They have ended.
    func forget(_ numbers: [UInt64]) throws(DatabaseError) {
        if numbers.isEmpty { return }
        try commits.makeRoom { () throws(DatabaseError) in
            for number in numbers { try table.delete(number) }
        }
        drop(numbers)
    }

    /// Writes the output of a job. Bytes that were written survive the daemon, but perhaps not a power cut.
    func append(
        _ bytes: ArraySlice<UInt8>, stream: OutputStream, to number: UInt64, forgetting victims: [UInt64]
    ) throws(DatabaseError) {
        guard var set = rows[number]?.output else { return }
        eraser.help()
        try add(.written, forgetting: victims) { () throws(DatabaseError) in
            try pieces.append(bytes, stream: stream, to: &set)
        }
        rows.change(number) { row in
            row.output = set
            row.kept.outputCount = set.count
        }
    }

    /// Whether a job's output has places for so many bytes more.
    func hasPlaces(for count: Int, in number: UInt64) -> Bool {
        guard let output = rows[number]?.output else { return false }
        return output.pieces + PieceTable.pieceCount(count) <= PieceSet.limit
    }

    /// What is written into files that were removed would be gone at the next start.
    private func checkFiles() throws(DatabaseError) {
        if JobFile.identities(of: path) != identities { throw .moved }
    }

    private func add(
        _ durability: Database.Durability, forgetting victims: [UInt64] = [],
        _ body: () throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        try commits.add(durability) { () throws(DatabaseError) in
            for victim in victims { try table.delete(victim) }
            try body()
        }
        drop(victims)
    }

    /// The rows of these jobs are gone.
    private func drop(_ numbers: [UInt64]) {
        if !numbers.isEmpty { revision += 1 }
        for number in numbers {
            guard let row = rows.remove(number) else { continue }
            unwritten.remove(number)
            eraser.erase([row.output, row.words, row.input].compactMap(\.self))
        }
    }

    // MARK: Inputs

    func beginInput(isRestricted: Bool) -> StoredInput {
        nextSet += 1
        return StoredInput(PieceSet(id: nextSet - 1), isRestricted: isRestricted)
    }

    func append(
        _ bytes: ArraySlice<UInt8>, to input: StoredInput, forgetting victims: [UInt64]
    ) throws(DatabaseError) {
        var set = input.data
        eraser.help()
        try add(.written, forgetting: victims) { () throws(DatabaseError) in
            try pieces.append(bytes, stream: .standardOutput, to: &set)
        }
        charge(set.price - input.data.price, for: input)
        input.data = set
    }

    func hasPlaces(for count: Int, in input: StoredInput) -> Bool {
        input.data.pieces + PieceTable.pieceCount(count) <= PieceSet.limit
    }

    func drop(_ input: StoredInput) {
        charge(-input.data.price, for: input)
        eraser.erase([input.data])
    }

    // MARK: Reading

    func output(
        of number: UInt64, from position: Int, limit: Int
    ) throws(DatabaseError) -> [(OutputStream, [UInt8])] {
        guard let output = rows[number]?.output, position < output.pieces else { return [] }
        return try pieces.read(output.id, from: position, limit: limit)
    }

    func input(of number: UInt64, from position: Int) throws(DatabaseError) -> [UInt8] {
        guard let set = rows[number]?.input, position < set.pieces else { return [] }
        return try pieces.read(set.id, from: position, limit: 1).first?.1 ?? []
    }

    /// Nil if the job does not wait, or if its words cannot be read whole.
    func command(of number: UInt64) throws(DatabaseError) -> StoredCommand? {
        guard let row = rows[number], let form = row.form, let set = row.words else { return nil }
        let bytes = try pieces.read(set.id, from: 0, limit: .max).flatMap(\.1)
        guard bytes.count == set.count else { return nil }
        return StoredCommand(
            words: ArgumentList(storedBytes: bytes), form: form, hasInput: row.input != nil)
    }
}

// The kept jobs of an open database: in memory what is asked for often, on disk everything.
import DokkuProtocol
import Glibc

/// An input that is written down before its job.
final class StoredInput {
    fileprivate(set) var data: PieceSet

    fileprivate init(_ data: PieceSet) { self.data = data }

    /// Bytes so far.
    var count: Int { data.count }
}

/// A failed write leaves everything as it was, in memory and on disk, except for the end of a job: the memory knows
/// it at once, and its row is `unwritten` until it could be written.
final class JobShelf {
    private let path: String
    /// The files that are open, by which another one in their place is noticed.
    private var identities: [JobFile.Identity?] = []
    private let database: Database
    private let table: JobTable
    private let pieces: PieceTable
    private let eraser: Eraser
    private let reserve: Reserve
    /// In the order of their numbers.
    private var rows: [JobRow] = []
    private(set) var lastNumber: UInt64
    private var nextSet: Int64 = 1
    /// The price of all data that are kept.
    private(set) var size = 0
    /// Changes when other jobs are kept or have ended.
    private(set) var revision = 1
    /// Jobs whose end is not on disk yet.
    private(set) var unwritten: Set<UInt64> = []

    /// Opens the file. What ran has been interrupted, and what belongs to no job is overwritten.
    init(folder: String, timers: TimerQueue, patience: Duration) throws(DatabaseError) {
        path = JobFile.path(in: folder)
        database = try JobFile.open(path)
        reserve = Reserve(in: folder)
        table = JobTable(database: database)
        pieces = PieceTable(database: database)
        eraser = Eraser(pieces, reserve: reserve, timers: timers, patience: patience)
        lastNumber = try table.lastNumber()
        rows = try table.rows()
        for index in rows.indices where rows[index].kept.state == .running { try interrupt(index) }
        let named = Set(rows.flatMap(\.sets))
        let found = try pieces.sets()
        nextSet = max(found.last ?? 0, named.max() ?? 0) + 1
        size = rows.reduce(0) { $0 + $1.price }
        eraser.erase(found.filter { !named.contains($0) }.map { PieceSet(id: $0) })
        _ = reserve.fill()
        correctEnds()
        _ = writeEnds()
        identities = JobFile.identities(of: path)
    }

    private func interrupt(_ index: Int) throws(DatabaseError) {
        rows[index].output = try pieces.measure(rows[index].output.id)
        rows[index].kept.outputCount = rows[index].output.count
        let kept = rows[index].kept
        let queued = Duration.seconds(max(0, kept.startedDate - kept.queuedDate))
        rows[index].kept.state = .ended(
            KeptJob.Ending(
                status: nil, failure: .ended(.interrupted), queued: queued, ran: .zero, date: time(nil)))
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

    var jobs: [KeptJob] { rows.map(\.kept) }

    func job(_ number: UInt64) -> KeptJob? { index(of: number).map { rows[$0].kept } }

    private func index(of number: UInt64) -> Int? {
        var (low, high) = (0, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].kept.number < number { low = middle + 1 } else { high = middle }
        }
        return low < rows.count && rows[low].kept.number == number ? low : nil
    }

    /// The jobs that must be forgotten before so much more may be kept, those first that ended first. Nil if that is
    /// not enough.
    func victims(jobs: Int, bytes: Int, within limits: (jobs: Int, bytes: Int)) -> [UInt64]? {
        var surplus = (jobs: rows.count + jobs - limits.jobs, bytes: size + bytes - limits.bytes)
        if surplus.jobs <= 0, surplus.bytes <= 0 { return [] }
        var victims: [UInt64] = []
        for row in rows.filter({ $0.kept.ending != nil }).sorted(by: { Self.date($0) < Self.date($1) }) {
            if surplus.jobs <= 0, surplus.bytes <= 0 { break }
            victims.append(row.kept.number)
            surplus.jobs -= 1
            surplus.bytes -= row.price
        }
        return surplus.jobs <= 0 && surplus.bytes <= 0 ? victims : nil
    }

    private static func date(_ row: JobRow) -> (time_t, UInt64) {
        (row.kept.ending?.date ?? .max, row.kept.number)
    }

    /// The jobs that ended at or before this date.
    func ended(until date: time_t) -> [UInt64] {
        rows.filter { $0.kept.ending.map { $0.date <= date } ?? false }.map(\.kept.number)
    }

    /// No job has ended in the future. If it seems so, the clock was set back: then it counts as ended now. So its result
    /// is not kept for years, and those of later jobs are not forgotten before it.
    func correctEnds() {
        let now = time(nil)
        let wrong = rows.indices.filter { rows[$0].kept.ending.map { $0.date > now } ?? false }
        if wrong.isEmpty { return }
        for index in wrong {
            guard var ending = rows[index].kept.ending else { continue }
            ending.date = now
            rows[index].kept.state = .ended(ending)
        }
        revision += 1
        // If that fails, the next start does it again.
        try? database.transaction(.written) { () throws(DatabaseError) in try table.limitEnds(to: now) }
    }

    /// When the first of the kept jobs ended.
    var firstEnd: time_t? { rows.lazy.compactMap { $0.kept.ending?.date }.min() }

    // MARK: Writing

    /// Writes a job down, and forgets others for it.
    func insert(
        _ kept: KeptJob, _ command: Command, input: StoredInput?, forgetting victims: [UInt64]
    ) throws(DatabaseError) {
        try checkRoom()
        try checkFiles()
        var words = PieceSet(id: nextSet)
        let row = try change(.synced, forgetting: victims) { () throws(DatabaseError) in
            try pieces.append(
                command.invocation.arguments.storedBytes[...], stream: .standardOutput, to: &words)
            let row = JobRow(
                kept: kept, form: StoredCommand.Form(command), output: PieceSet(id: nextSet + 1),
                words: words, input: input?.data)
            try table.insert(row)
            return row
        }
        nextSet += 2
        rows.append(row)
        revision += 1
        lastNumber = kept.number
        size += words.price
    }

    func markRunning(_ number: UInt64) throws(DatabaseError) {
        guard let index = index(of: number) else { return }
        try checkRoom()
        let date = time(nil)
        try change(.synced) { () throws(DatabaseError) in try table.markRunning(number, date: date) }
        rows[index].kept.startedDate = date
        rows[index].kept.state = .running
    }

    /// False if it could not be written yet; see `writeEnds`.
    func markEnded(_ number: UInt64, _ ending: KeptJob.Ending) -> Bool {
        guard let index = index(of: number) else { return true }
        correctEnds()
        rows[index].kept.state = .ended(ending)
        revision += 1
        unwritten.insert(number)
        return writeEnds()
    }

    /// Writes what could not be written before. False if something is left.
    func writeEnds() -> Bool {
        for number in unwritten {
            guard let index = index(of: number), let ending = rows[index].kept.ending else { continue }
            do throws(DatabaseError) {
                try makeRoom { () throws(DatabaseError) in
                    try change(.synced) { () throws(DatabaseError) in
                        try table.markEnded(rows[index], ending)
                    }
                }
            } catch {
                return false
            }
            unwritten.remove(number)
            let old = [rows[index].words, rows[index].input].compactMap(\.self)
            rows[index].words = nil
            rows[index].input = nil
            size -= old.reduce(0) { $0 + $1.price }
            eraser.erase(old)
        }
        return true
    }

    /// Forgets these jobs, all or none. They have ended.
    func forget(_ numbers: [UInt64]) throws(DatabaseError) {
        if numbers.isEmpty { return }
        try makeRoom { () throws(DatabaseError) in try change(.synced, forgetting: numbers) {} }
    }

    /// Writes the output of a job. Bytes that were written survive the daemon, but perhaps not a power cut.
    func append(
        _ bytes: ArraySlice<UInt8>, stream: OutputStream, to number: UInt64, forgetting victims: [UInt64]
    ) throws(DatabaseError) {
        guard var set = index(of: number).map({ rows[$0].output }) else { return }
        let before = set.price
        try checkRoom()
        eraser.help()
        try change(.written, forgetting: victims) { () throws(DatabaseError) in
            try pieces.append(bytes, stream: stream, to: &set)
        }
        guard let index = index(of: number) else { return }
        rows[index].output = set
        rows[index].kept.outputCount = set.count
        size += set.price - before
    }

    /// Whether a job's output has places for so many bytes more.
    func hasPlaces(for count: Int, in number: UInt64) -> Bool {
        guard let index = index(of: number) else { return false }
        return rows[index].output.pieces + PieceTable.pieceCount(count) <= PieceSet.limit
    }

    /// As long as the reserve is spent, nothing is added, because that would use up what it has made free.
    private func checkRoom() throws(DatabaseError) {
        if reserve.fill() { return }
        throw DatabaseError.noRoom(Reserve.size)
    }

    /// What is written into files that were removed would be gone at the next start.
    private func checkFiles() throws(DatabaseError) {
        if JobFile.identities(of: path) != identities { throw .moved }
    }

    private func makeRoom(_ body: () throws(DatabaseError) -> Void) throws(DatabaseError) {
        try JobFile.makeRoom(in: database, with: reserve, body)
    }

    private func change<Result>(
        _ durability: Database.Durability, forgetting victims: [UInt64] = [],
        _ body: () throws(DatabaseError) -> Result
    ) throws(DatabaseError) -> Result {
        var result: Result?
        do throws(DatabaseError) {
            try database.transaction(durability) { () throws(DatabaseError) in
                for victim in victims { try table.delete(victim) }
                result = try body()
            }
        } catch {
            // If only the sync has failed, a later start would find the commit.
            if durability == .synced {
                try? database.transaction(.written) { () throws(DatabaseError) in try table.touch() }
            }
            throw error
        }
        drop(victims)
        guard let result else { preconditionFailure("a transaction without its body") }
        return result
    }

    /// The rows of these jobs are gone.
    private func drop(_ numbers: [UInt64]) {
        if !numbers.isEmpty { revision += 1 }
        for number in numbers {
            guard let index = index(of: number) else { continue }
            let row = rows.remove(at: index)
            size -= row.price
            unwritten.remove(number)
            eraser.erase([row.output, row.words, row.input].compactMap(\.self))
        }
    }

    // MARK: Inputs

    func beginInput() -> StoredInput {
        nextSet += 1
        return StoredInput(PieceSet(id: nextSet - 1))
    }

    func append(
        _ bytes: ArraySlice<UInt8>, to input: StoredInput, forgetting victims: [UInt64]
    ) throws(DatabaseError) {
        var set = input.data
        try checkRoom()
        eraser.help()
        try change(.written, forgetting: victims) { () throws(DatabaseError) in
            try pieces.append(bytes, stream: .standardOutput, to: &set)
        }
        size += set.price - input.data.price
        input.data = set
    }

    func hasPlaces(for count: Int, in input: StoredInput) -> Bool {
        input.data.pieces + PieceTable.pieceCount(count) <= PieceSet.limit
    }

    func drop(_ input: StoredInput) {
        size -= input.data.price
        eraser.erase([input.data])
    }

    // MARK: Reading

    func output(
        of number: UInt64, from position: Int, limit: Int
    ) throws(DatabaseError) -> [(OutputStream, [UInt8])] {
        guard let index = index(of: number), position < rows[index].output.pieces else { return [] }
        return try pieces.read(rows[index].output.id, from: position, limit: limit)
    }

    func input(of number: UInt64, from position: Int) throws(DatabaseError) -> [UInt8] {
        guard let index = index(of: number), let set = rows[index].input, position < set.pieces else {
            return []
        }
        return try pieces.read(set.id, from: position, limit: 1).first?.1 ?? []
    }

    /// Nil if the job does not wait, or if its words cannot be read whole.
    func command(of number: UInt64) throws(DatabaseError) -> StoredCommand? {
        guard let index = index(of: number), let form = rows[index].form, let set = rows[index].words else {
            return nil
        }
        let bytes = try pieces.read(set.id, from: 0, limit: .max).flatMap(\.1)
        guard bytes.count == set.count else { return nil }
        return StoredCommand(
            words: ArgumentList(storedBytes: bytes), form: form, hasInput: rows[index].input != nil)
    }
}

extension ArgumentList {
    /// The words, each with a NUL at its end.
    fileprivate var storedBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        for index in 0..<count {
            bytes += self[index]
            bytes.append(0)
        }
        return bytes
    }

    fileprivate init(storedBytes bytes: [UInt8]) {
        self.init()
        for word in bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast() {
            append(word)
            endWord()
        }
    }
}

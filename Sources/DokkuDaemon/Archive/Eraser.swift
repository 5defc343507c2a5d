// Overwrites what was forgotten, in small steps, so that the loop is not held.
import DokkuProtocol

/// A step either overwrites about a MiB of rubbish, or gives about a MiB of free pages back to the file system, or
/// empties the log, which still holds the old pages. Then it rests until something else is forgotten. A step that
/// fails, because the disk is full, is tried again later.
final class Eraser {
    /// Bytes of one step.
    private static let stepSize = 1 << 20
    /// Beyond this, who adds data has to help.
    private static let helpLimit = 16 << 20
    /// Free pages that stay for the next job, and pages of one step.
    private static let spare: Int64 = 256
    private static let retryPause = Duration.seconds(1)
    /// The loop's other work gets this many times the time of a step, before the next one.
    private static let pauseFactor = 4

    private enum Stage {
        case resting
        /// A step is due.
        case waiting(Timer)
    }

    private let database: Database
    private let pieces: PieceTable
    private let reserve: Reserve
    private let timers: TimerQueue
    /// How long it waits for more before it begins.
    private let patience: Duration
    private var rubbish: [PieceSet] = []
    private var rubbishSize = 0
    private var stage = Stage.resting

    init(_ pieces: PieceTable, reserve: Reserve, timers: TimerQueue, patience: Duration) {
        database = pieces.database
        self.reserve = reserve
        self.pieces = pieces
        self.timers = timers
        self.patience = patience
    }

    deinit { if case .waiting(let timer) = stage { timer.cancel() } }

    /// Whether everything that was forgotten is overwritten.
    var isDone: Bool { if case .resting = stage { true } else { false } }

    /// No row names these sets any more. The rows that did are to be overwritten in the log, too.
    func erase(_ sets: [PieceSet] = []) {
        rubbish += sets
        rubbishSize += sets.reduce(0) { $0 + $1.price }
        if case .resting = stage { wait(patience) }
    }

    /// Call it before data are added. So the file does not grow faster than rubbish disappears.
    func help() {
        if rubbishSize > Self.helpLimit { try? eraseRubbish() }
    }

    private func wait(_ pause: Duration) {
        stage = .waiting(timers.schedule(after: pause) { [weak self] in self?.step() })
    }

    private func step() {
        let start = Instant.now
        do throws(DatabaseError) {
            if try advance() { wait(max(.milliseconds(1), (.now - start) * Self.pauseFactor)) }
        } catch {
            wait(Self.retryPause)
        }
    }

    /// Does what is left without pauses, as far as the time is enough. Call it when nobody is served any more.
    func finish(until end: Instant) {
        guard case .waiting(let timer) = stage else { return }
        timer.cancel()
        while .now < end, (try? advance()) == true {}
    }

    /// Takes a step. False if nothing is left: then it rests.
    private func advance() throws(DatabaseError) -> Bool {
        var hasMore = false
        try JobFile.makeRoom(in: database, with: reserve) { () throws(DatabaseError) in
            hasMore = try work()
        }
        if hasMore { return true }
        stage = .resting
        _ = reserve.fill()
        database.releaseMemory()
        return false
    }

    /// False if there is nothing more to do.
    private func work() throws(DatabaseError) -> Bool {
        if !rubbish.isEmpty {
            try eraseRubbish()
            return true
        }
        if let free = try database.number("PRAGMA freelist_count"), free > Self.spare {
            try database.transaction(.written) { () throws(DatabaseError) in
                try database.execute("PRAGMA incremental_vacuum(\(min(free - Self.spare, Self.spare)))")
            }
            return true
        }
        try database.emptyLog()
        return false
    }

    private func eraseRubbish() throws(DatabaseError) {
        var rest = rubbish
        try database.transaction(.written) { () throws(DatabaseError) in
            var room = Self.stepSize
            while room > 0, let set = rest.last {
                if try !pieces.erase(set.id, limit: &room) { rest.removeLast() }
                room -= PieceSet.overhead
            }
        }
        rubbishSize -= rubbish[rest.count...].reduce(0) { $0 + $1.price }
        rubbish = rest
    }
}

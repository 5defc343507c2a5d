// The kept jobs in memory, in the order of their numbers, and which of them are forgotten first.
import Glibc

struct JobRows {
    private var rows: [JobRow]
    private var load: (all: KeptLoad, restricted: KeptLoad) = (KeptLoad(), KeptLoad())

    /// `rows` are in the order of their numbers.
    init(_ rows: [JobRow]) {
        self.rows = rows
        for row in rows { add(row.load, of: row) }
    }

    var all: [JobRow] { rows }

    func load(_ part: KeptLoad.Part) -> KeptLoad { part == .all ? load.all : load.restricted }

    private mutating func add(_ change: KeptLoad, of row: JobRow) {
        load.all = load.all + change
        if row.isIn(.restricted) { load.restricted = load.restricted + change }
    }

    /// The numbers of all sets that a row names.
    var sets: Set<Int64> { Set(rows.flatMap(\.sets)) }

    subscript(number: UInt64) -> JobRow? { index(of: number).map { rows[$0] } }

    private func index(of number: UInt64) -> Int? {
        var (low, high) = (0, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].kept.number < number { low = middle + 1 } else { high = middle }
        }
        return low < rows.count && rows[low].kept.number == number ? low : nil
    }

    /// Adds a row. Its number is the highest.
    mutating func append(_ row: JobRow) {
        rows.append(row)
        add(row.load, of: row)
    }

    /// Changes a row, if it is there.
    mutating func change(_ number: UInt64, _ body: (inout JobRow) -> Void) {
        guard let index = index(of: number) else { return }
        let before = rows[index].load
        body(&rows[index])
        add(rows[index].load - before, of: rows[index])
    }

    mutating func remove(_ number: UInt64) -> JobRow? {
        guard let index = index(of: number) else { return nil }
        let row = rows.remove(at: index)
        add(KeptLoad() - row.load, of: row)
        return row
    }

    // MARK: What is forgotten first

    /// The jobs that ended at or before this date.
    func ended(until date: time_t) -> [UInt64] {
        rows.filter { $0.kept.ending.map { $0.date <= date } ?? false }.map(\.kept.number)
    }

    /// No end is later than this. False if nothing has changed.
    mutating func limitEnds(to date: time_t) -> Bool {
        var hasChanged = false
        for index in rows.indices {
            guard case .ended(var ending) = rows[index].kept.state, ending.date > date else { continue }
            ending.date = date
            rows[index].kept.state = .ended(ending)
            hasChanged = true
        }
        return hasChanged
    }

    /// When the first of the kept jobs ended.
    var firstEnd: time_t? { rows.lazy.compactMap { $0.kept.ending?.date }.min() }

    /// Of a part of the jobs, those that have to go so that there is so much less: those that ended first, and no more
    /// than have ended.
    func victims(for excess: KeptLoad, in part: KeptLoad.Part, besides: Victims = Victims()) -> Victims {
        var victims = besides
        var rest = excess
        if rest.isNothing { return victims }
        let others = Set(besides.numbers)
        let ended = rows.filter { $0.kept.ending != nil && $0.isIn(part) && !others.contains($0.kept.number) }
        for row in ended.sorted(by: { Self.date($0) < Self.date($1) }) {
            if rest.isNothing { break }
            victims.numbers.append(row.kept.number)
            victims.load = victims.load + row.load
            rest = rest - row.load
        }
        if !rest.isNothing { victims.isEnough = false }
        return victims
    }

    private static func date(_ row: JobRow) -> (time_t, UInt64) {
        (row.kept.ending?.date ?? .max, row.kept.number)
    }
}

/// Jobs that are to be forgotten.
struct Victims {
    var numbers: [UInt64] = []
    var load = KeptLoad()
    /// False if more would have to go.
    var isEnough = true
}

extension JobRow {
    fileprivate var load: KeptLoad { KeptLoad(jobs: 1, bytes: price) }

    fileprivate func isIn(_ part: KeptLoad.Part) -> Bool { part == .all || kept.peer.isRestricted }
}

// The kept jobs in memory, in the order of their numbers, and which of them are forgotten first.
import Glibc

struct JobRows {
    private var rows: [JobRow]
    /// The price of all their data.
    private(set) var price: Int

    /// `rows` are in the order of their numbers.
    init(_ rows: [JobRow]) {
        self.rows = rows
        price = rows.reduce(0) { $0 + $1.price }
    }

    var all: [JobRow] { rows }
    var count: Int { rows.count }
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
        price += row.price
    }

    /// Changes a row, if it is there.
    mutating func change(_ number: UInt64, _ body: (inout JobRow) -> Void) {
        guard let index = index(of: number) else { return }
        price -= rows[index].price
        body(&rows[index])
        price += rows[index].price
    }

    mutating func remove(_ number: UInt64) -> JobRow? {
        guard let index = index(of: number) else { return nil }
        price -= rows[index].price
        return rows.remove(at: index)
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

    /// The jobs that have to go so that there are so many jobs and bytes less: those that ended first, and no more than
    /// have ended. `isEnough` is false if more would have to go.
    func victims(jobs: Int, bytes: Int) -> (numbers: [UInt64], isEnough: Bool) {
        var (jobs, bytes) = (jobs, bytes)
        var victims: [UInt64] = []
        if jobs <= 0, bytes <= 0 { return (victims, true) }
        for row in rows.filter({ $0.kept.ending != nil }).sorted(by: { Self.date($0) < Self.date($1) }) {
            if jobs <= 0, bytes <= 0 { break }
            victims.append(row.kept.number)
            jobs -= 1
            bytes -= row.price
        }
        return (victims, jobs <= 0 && bytes <= 0)
    }

    private static func date(_ row: JobRow) -> (time_t, UInt64) {
        (row.kept.ending?.date ?? .max, row.kept.number)
    }
}

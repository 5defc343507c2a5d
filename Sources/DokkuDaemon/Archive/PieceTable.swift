// The bytes of jobs: sets of pieces. A job's words, its input and its output are a set each.
//
// A set belongs to the job whose row names it. A set that no row names is rubbish, and is overwritten. So one small
// commit makes megabytes invisible, and whatever a crash leaves half done is rubbish at the next start.
import DokkuProtocol

/// A set of pieces.
struct PieceSet: Equatable {
    /// The overhead of a row, so that many small pieces are not kept for nothing.
    static let overhead = 64
    /// More than that many pieces have no numbers.
    static let limit = 1 << PieceTable.positionBits

    let id: Int64
    var pieces = 0
    /// Bytes in them.
    var count = 0

    /// What it is charged to the limit of all data.
    var price: Int { Self.price(count, pieces) }

    static func price(_ count: Int, _ pieces: Int) -> Int { count + pieces * overhead }

    mutating func add(_ count: Int) {
        pieces += 1
        self.count += count
    }
}

struct PieceTable {
    static let schema =
        "CREATE TABLE piece (id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, bytes BLOB NOT NULL);"
    /// A longer piece is cut into several.
    static let pieceLimit = 64 * 1024
    /// The key of a piece is the number of its set, followed by its position in the set.
    fileprivate static let positionBits = 24

    let database: Database

    /// Call it in a transaction.
    func append(
        _ bytes: ArraySlice<UInt8>, stream: OutputStream, to set: inout PieceSet
    ) throws(DatabaseError) {
        var rest = bytes
        while !rest.isEmpty {
            let piece = rest.prefix(Self.pieceLimit)
            try database.run(
                "INSERT INTO piece VALUES (?1, ?2, ?3)", .integer(Self.key(set.id, set.pieces)),
                .integer(stream == .standardOutput ? 1 : 2), .bytes(piece))
            set.add(piece.count)
            rest = rest.dropFirst(piece.count)
        }
    }

    /// How many pieces so many bytes become.
    static func pieceCount(_ bytes: Int) -> Int { (bytes + pieceLimit - 1) / pieceLimit }

    /// The pieces from a position on, until they have `limit` bytes or more.
    func read(
        _ set: Int64, from position: Int, limit: Int
    ) throws(DatabaseError) -> [(OutputStream, [UInt8])] {
        var pieces: [(OutputStream, [UInt8])] = []
        var count = 0
        let range: [DatabaseValue] = [.integer(Self.key(set, position)), .integer(Self.key(set + 1, 0))]
        try database.query(
            "SELECT stream, bytes FROM piece WHERE id >= ?1 AND id < ?2 ORDER BY id", range
        ) { row in
            let bytes = row.bytes(1)
            pieces.append((row.integer(0) == 1 ? .standardOutput : .standardError, bytes))
            count += bytes.count + PieceSet.overhead
            return count < limit
        }
        return pieces
    }

    /// What there is of a set.
    func measure(_ id: Int64) throws(DatabaseError) -> PieceSet {
        var set = PieceSet(id: id)
        try database.query(
            "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM piece WHERE id >= ?1 AND id < ?2",
            [.integer(Self.key(id, 0)), .integer(Self.key(id + 1, 0))]
        ) { row in
            set.pieces = Int(row.integer(0))
            set.count = Int(row.integer(1))
            return false
        }
        return set
    }

    /// The numbers of all sets, in order. It looks once for each set, not for each piece.
    func sets() throws(DatabaseError) -> [Int64] {
        var sets: [Int64] = []
        while let key = try database.number(
            "SELECT id FROM piece WHERE id >= ?1 ORDER BY id LIMIT 1",
            .integer(Self.key((sets.last ?? -1) + 1, 0)))
        {
            sets.append(key >> Self.positionBits)
        }
        return sets
    }

    /// Overwrites the first pieces of a set, until they have `limit` bytes or more. False if none is left.
    func erase(_ set: Int64, limit: inout Int) throws(DatabaseError) -> Bool {
        let (start, end) = (Self.key(set, 0), Self.key(set + 1, 0))
        var last: Int64?
        try database.query(
            "SELECT id, length(bytes) FROM piece WHERE id >= ?1 AND id < ?2 ORDER BY id",
            [.integer(start), .integer(end)]
        ) { row in
            last = row.integer(0)
            limit -= Int(row.integer(1)) + PieceSet.overhead
            return limit > 0
        }
        guard let last else { return false }
        try database.run("DELETE FROM piece WHERE id >= ?1 AND id <= ?2", .integer(start), .integer(last))
        return limit <= 0
    }

    private static func key(_ set: Int64, _ position: Int) -> Int64 {
        set << positionBits | Int64(position)
    }
}

// SQLite's edge: an open database, its statements, and transactions. It knows nothing about jobs.
import CSQLite
import Glibc

/// Something that SQLite could not do. It is no bug: the disk is full, the file is broken, or it is locked.
struct DatabaseError: Error, Equatable, CustomStringConvertible {
    /// The extended result code, https://sqlite.org/rescode.html
    let code: Int32
    /// For people.
    let text: String

    init(code: Int32, text: String) {
        self.code = code
        self.text = text
    }

    /// The disk has less than so many bytes free.
    static func noRoom(_ bytes: Int) -> DatabaseError {
        DatabaseError(code: SQLITE_FULL, text: "the disk is full, it has less than \(bytes >> 20) MiB free")
    }

    /// Another file, or none, is where the open one was.
    static let moved = DatabaseError(
        code: SQLITE_READONLY, text: "its file was removed or replaced, so the daemon must be restarted")

    /// This daemon has given numbers of kept jobs to others.
    static let numbersAreGiven = DatabaseError(
        code: SQLITE_CONSTRAINT,
        text: "jobs in it have numbers that this daemon has given to others; restart the daemon")

    fileprivate init(_ connection: OpaquePointer?, _ code: Int32) {
        self.code = code
        let words = String(cString: connection == nil ? sqlite3_errstr(code) : sqlite3_errmsg(connection))
        let number = sqlite3_system_errno(connection)
        text = number == 0 ? words : "\(words) (\(String(cString: strerror(number))))"
    }

    /// The disk is full.
    var isFull: Bool { code & 0xFF == SQLITE_FULL }

    /// Another process has locked the file.
    var isBusy: Bool { code & 0xFF == SQLITE_BUSY }

    var description: String { text }
}

enum DatabaseValue {
    case null
    case integer(Int64)
    case text(String)
    case bytes(ArraySlice<UInt8>)

    init(_ number: Int64?) { self = number.map(DatabaseValue.integer) ?? .null }
    init(_ text: String?) { self = text.map(DatabaseValue.text) ?? .null }
    init(_ bytes: ArraySlice<UInt8>?) { self = bytes.map(DatabaseValue.bytes) ?? .null }
}

/// The current row of a query. It is valid only inside the closure that gets it.
struct DatabaseRow {
    fileprivate let statement: OpaquePointer

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    /// U+FFFD replaces what is not UTF-8.
    func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    func bytes(_ column: Int32) -> [UInt8] {
        let start = sqlite3_column_blob(statement, column)
        let count = Int(sqlite3_column_bytes(statement, column))
        return Array(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
    }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }
}

/// An open database. It is used by one thread.
final class Database {
    /// What has happened when a transaction has ended.
    enum Durability: Equatable {
        /// The kernel has it: it survives the process, but perhaps not a power cut.
        case written
        /// The disk has it.
        case synced
    }

    private let connection: OpaquePointer
    /// By the address of their text, which is a constant of the program.
    private var statements: [UnsafePointer<UInt8>: OpaquePointer] = [:]
    /// Nil if it is not known.
    private var durability: Durability?

    /// Opens a file that exists, for reading and writing.
    init(path: String) throws(DatabaseError) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE
        var code = sqlite3_open_v2(path, &opened, flags, nil)
        if let opened, code == SQLITE_OK {
            _ = sqlite3_extended_result_codes(opened, 1)
            code = sqlite_make_safe(opened)
            // SQLite opens a file that cannot be written for reading.
            if code == SQLITE_OK, sqlite3_db_readonly(opened, "main") == 1 { code = SQLITE_READONLY }
            if code == SQLITE_OK {
                connection = opened
                return
            }
        }
        let error =
            code == SQLITE_READONLY
            ? DatabaseError(code: code, text: "the file cannot be written") : DatabaseError(opened, code)
        sqlite3_close_v2(opened)
        throw error
    }

    deinit {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(connection)
    }

    /// Runs statements whose rows nobody wants.
    func execute(_ script: String) throws(DatabaseError) {
        try check(sqlite3_exec(connection, script, nil, nil, nil))
    }

    /// Runs one statement with these values for its parameters.
    func run(_ statement: StaticString, _ values: DatabaseValue...) throws(DatabaseError) {
        try query(statement, values) { _ in true }
    }

    /// Calls `body` with each row until it returns false.
    func query(
        _ statement: StaticString, _ values: [DatabaseValue] = [], _ body: (DatabaseRow) -> Bool
    ) throws(DatabaseError) {
        let prepared = try prepare(statement)
        // A statement that is not reset would hold the log's frames, and its values.
        defer {
            sqlite3_reset(prepared)
            sqlite3_clear_bindings(prepared)
        }
        for (index, value) in values.enumerated() { try bind(value, to: prepared, at: Int32(index + 1)) }
        while true {
            switch sqlite3_step(prepared) {
            case SQLITE_ROW: if !body(DatabaseRow(statement: prepared)) { return }
            case SQLITE_DONE: return
            case let code: throw DatabaseError(connection, code)
            }
        }
    }

    /// The number in the first column of the first row; nil if there is no row, or if it is NULL.
    func number(_ statement: StaticString, _ values: DatabaseValue...) throws(DatabaseError) -> Int64? {
        var number: Int64?
        try query(statement, values) { row in
            number = row.optionalInteger(0)
            return false
        }
        return number
    }

    /// Does all of `body`, or changes nothing.
    func transaction(
        _ durability: Durability, _ body: () throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        try set(durability)
        try run("BEGIN IMMEDIATE")
        do throws(DatabaseError) {
            try body()
            try run("COMMIT")
        } catch {
            if sqlite3_get_autocommit(connection) == 0 { try? run("ROLLBACK") }
            throw error
        }
    }

    /// Moves everything from the log into the file, and empties the log.
    func emptyLog() throws(DatabaseError) {
        try check(
            sqlite3_wal_checkpoint_v2(connection, "main", SQLITE_CHECKPOINT_TRUNCATE, nil, nil))
    }

    /// Moves everything from the log into the file. The log keeps its room for what comes next.
    func moveLog() throws(DatabaseError) {
        try check(
            sqlite3_wal_checkpoint_v2(connection, "main", SQLITE_CHECKPOINT_PASSIVE, nil, nil))
    }

    /// Gives memory of the page cache back.
    func releaseMemory() { sqlite3_db_release_memory(connection) }

    private func set(_ wanted: Durability) throws(DatabaseError) {
        guard durability != wanted else { return }
        durability = nil
        try execute("PRAGMA synchronous=\(wanted == .synced ? "FULL" : "NORMAL")")
        durability = wanted
    }

    private func prepare(_ text: StaticString) throws(DatabaseError) -> OpaquePointer {
        if let known = statements[text.utf8Start] { return known }
        var prepared: OpaquePointer?
        let code = text.withUTF8Buffer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                sqlite3_prepare_v3(
                    connection, characters.baseAddress, Int32(characters.count),
                    UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
            }
        }
        try check(code)
        guard let prepared else { preconditionFailure("an empty statement") }
        statements[text.utf8Start] = prepared
        return prepared
    }

    private func bind(
        _ value: DatabaseValue, to statement: OpaquePointer, at index: Int32
    ) throws(DatabaseError) {
        let code =
            switch value {
            case .null: sqlite3_bind_null(statement, index)
            case .integer(let number): sqlite3_bind_int64(statement, index, number)
            case .text(let text): sqlite_bind_text(statement, index, text, UInt64(text.utf8.count))
            case .bytes(let bytes):
                bytes.withUnsafeBytes {
                    sqlite_bind_bytes(statement, index, $0.baseAddress, UInt64($0.count))
                }
            }
        try check(code)
    }

    private func check(_ code: Int32) throws(DatabaseError) {
        if code != SQLITE_OK { throw DatabaseError(connection, code) }
    }
}

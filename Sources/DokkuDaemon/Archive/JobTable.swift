// The rows of kept jobs.
import DokkuProtocol
import Glibc

/// A kept job and where its data are. The state in memory may be newer than its row, if the row could not be written.
struct JobRow {
    var kept: KeptJob
    var form: StoredCommand.Form?
    var output: PieceSet
    /// Nil once they are not needed any more.
    var words: PieceSet?
    var input: PieceSet?

    var price: Int { output.price + (words?.price ?? 0) + (input?.price ?? 0) }
    var sets: [Int64] { [output.id, words?.id, input?.id].compactMap(\.self) }
}

struct JobTable {
    /// AUTOINCREMENT keeps the highest number that was ever used, in the commit that uses it.
    static let schema = """
        CREATE TABLE job (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            state INTEGER NOT NULL,
            title TEXT NOT NULL,
            pid INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,
            listener TEXT NOT NULL, rules TEXT NOT NULL,
            lane TEXT, timeout INTEGER, direction INTEGER, path BLOB,
            words INTEGER, words_pieces INTEGER NOT NULL, words_bytes INTEGER NOT NULL,
            input INTEGER, input_pieces INTEGER NOT NULL, input_bytes INTEGER NOT NULL,
            output INTEGER NOT NULL, output_pieces INTEGER, output_bytes INTEGER,
            queued_date INTEGER NOT NULL, started_date INTEGER NOT NULL, ended_date INTEGER NOT NULL,
            exit_status INTEGER, signal TEXT,
            end_code TEXT, end_text TEXT, cut_code TEXT, cut_text TEXT,
            queued_time INTEGER NOT NULL, run_time INTEGER NOT NULL,
            cgroup TEXT
        );
        CREATE TABLE revision (number INTEGER NOT NULL);
        INSERT INTO revision VALUES (0);
        """

    let database: Database

    func lastNumber() throws(DatabaseError) -> UInt64 {
        UInt64(clamping: try database.number("SELECT seq FROM sqlite_sequence WHERE name = 'job'") ?? 0)
    }

    /// Makes a failed commit unreadable for a later start: the next commit takes its place in the log.
    func touch() throws(DatabaseError) {
        // SQLite writes no page that stays the same.
        try database.run("UPDATE revision SET number = number + 1")
    }

    func insert(_ row: JobRow) throws(DatabaseError) {
        let kept = row.kept
        let form = row.form
        try database.run(
            """
            INSERT INTO job VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
                ?19, NULL, NULL, ?20, ?21, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, ?22)
            """,
            .integer(Int64(kept.number)), .integer(Self.code(kept.state)), .text(kept.title),
            .integer(Int64(kept.peer.pid)), .integer(Int64(kept.peer.uid)), .integer(Int64(kept.peer.gid)),
            .text(kept.peer.listener), .text("\(kept.peer.rules)"),
            DatabaseValue(form?.lane.rawValue), DatabaseValue(form?.timeout?.wholeNanoseconds),
            DatabaseValue(form?.redirection.map { $0.direction == .input ? 0 : 1 }),
            DatabaseValue(form?.redirection?.path[...]),
            DatabaseValue(row.words?.id), .integer(Int64(row.words?.pieces ?? 0)),
            .integer(Int64(row.words?.count ?? 0)),
            DatabaseValue(row.input?.id), .integer(Int64(row.input?.pieces ?? 0)),
            .integer(Int64(row.input?.count ?? 0)),
            .integer(row.output.id), .integer(Int64(kept.queuedDate)), .integer(Int64(kept.startedDate)),
            DatabaseValue(kept.peer.cgroup))
    }

    func markRunning(_ number: UInt64, date: time_t) throws(DatabaseError) {
        try database.run(
            "UPDATE job SET state = 1, started_date = ?2 WHERE number = ?1", .integer(Int64(number)),
            .integer(Int64(date)))
    }

    /// The words and the input are not needed any more, and the row names them no longer.
    func markEnded(_ row: JobRow, _ ending: KeptJob.Ending) throws(DatabaseError) {
        let (status, signal) = Self.parts(ending.status)
        let (end, cut) = Self.parts(ending.failure)
        try database.run(
            """
            UPDATE job SET state = 2, started_date = ?2, ended_date = ?3, exit_status = ?4, signal = ?5,
                end_code = ?6, end_text = ?7, cut_code = ?8, cut_text = ?9, queued_time = ?10, run_time = ?11,
                output_pieces = ?12, output_bytes = ?13, lane = NULL, timeout = NULL, direction = NULL, path = NULL,
                words = NULL, words_pieces = 0, words_bytes = 0, input = NULL, input_pieces = 0, input_bytes = 0
            WHERE number = ?1
            """,
            .integer(Int64(row.kept.number)), .integer(Int64(row.kept.startedDate)),
            .integer(Int64(ending.date)), DatabaseValue(status), DatabaseValue(signal),
            DatabaseValue(end?.code.rawValue), DatabaseValue(end?.text), DatabaseValue(cut?.code.rawValue),
            DatabaseValue(cut?.text), .integer(ending.queued.wholeNanoseconds),
            .integer(ending.ran.wholeNanoseconds), .integer(Int64(row.output.pieces)),
            .integer(Int64(row.output.count)))
    }

    /// No end is later than this.
    func limitEnds(to date: time_t) throws(DatabaseError) {
        try database.run("UPDATE job SET ended_date = ?1 WHERE ended_date > ?1", .integer(Int64(date)))
    }

    func delete(_ number: UInt64) throws(DatabaseError) {
        try database.run("DELETE FROM job WHERE number = ?1", .integer(Int64(number)))
    }

    /// All rows, in the order of their numbers. The size of an output is 0 unless its job has ended.
    func rows() throws(DatabaseError) -> [JobRow] {
        var rows: [JobRow] = []
        try database.query("SELECT * FROM job ORDER BY number") { row in
            rows.append(Self.row(row))
            return true
        }
        return rows
    }

    private static func row(_ row: DatabaseRow) -> JobRow {
        let rules = try? ListenerRules(parsing: row.text(7))
        let peer = Peer(
            pid: Int32(truncatingIfNeeded: row.integer(3)), uid: UInt32(truncatingIfNeeded: row.integer(4)),
            gid: UInt32(truncatingIfNeeded: row.integer(5)), cgroup: row.optionalText(32),
            listener: row.text(6), rules: rules ?? ListenerRules(.readOnly))
        var output = PieceSet(id: row.integer(18))
        output.pieces = Int(row.integer(19))
        output.count = Int(row.integer(20))
        let kept = KeptJob(
            number: UInt64(clamping: row.integer(0)), title: row.text(2), peer: peer,
            queuedDate: time_t(row.integer(21)), startedDate: time_t(row.integer(22)), state: state(row),
            outputCount: output.count)
        return JobRow(
            // Nobody knows with what rights the words of unreadable rules may run.
            kept: kept, form: rules == nil ? nil : form(row), output: output, words: set(row, 12),
            input: set(row, 15))
    }

    private static func set(_ row: DatabaseRow, _ column: Int32) -> PieceSet? {
        guard let id = row.optionalInteger(column) else { return nil }
        return PieceSet(id: id, pieces: Int(row.integer(column + 1)), count: Int(row.integer(column + 2)))
    }

    private static func form(_ row: DatabaseRow) -> StoredCommand.Form? {
        guard let lane = row.optionalText(8).flatMap(Lane.init(rawValue:)) else { return nil }
        let redirection = row.optionalInteger(10).map {
            Redirection(direction: $0 == 0 ? .input : .output, path: row.bytes(11))
        }
        return StoredCommand.Form(
            lane: lane, timeout: row.optionalInteger(9).map { .nanoseconds($0) }, redirection: redirection)
    }

    // MARK: States

    private static func code(_ state: KeptJob.State) -> Int64 {
        switch state {
        case .waiting: 0
        case .running: 1
        case .ended: 2
        }
    }

    private static func state(_ row: DatabaseRow) -> KeptJob.State {
        switch row.integer(1) {
        case 0: return .waiting
        case 1: return .running
        default:
            let end = refusal(row, 26)
            let cut = refusal(row, 28)
            let failure: JobFailure? =
                switch (end, cut) {
                case (nil, nil): nil
                case (let end?, nil): .ended(end)
                case (nil, let cut?): .cut(cut)
                case (let end?, let cut?): .endedAndCut(end: end, cut: cut)
                }
            let status =
                row.optionalInteger(24).map { ExitStatus.exited(Int32(truncatingIfNeeded: $0)) }
                ?? row.optionalText(25).map(ExitStatus.signalled)
            return .ended(
                KeptJob.Ending(
                    status: status, failure: failure, queued: .nanoseconds(row.integer(30)),
                    ran: .nanoseconds(row.integer(31)), date: time_t(row.integer(23))))
        }
    }

    /// A word that this version does not know is another version's.
    private static func refusal(_ row: DatabaseRow, _ column: Int32) -> Refusal? {
        guard let code = row.optionalText(column) else { return nil }
        return Refusal(code: ErrorCode(rawValue: code) ?? .storageFailed, text: row.text(column + 1))
    }

    private static func parts(_ status: ExitStatus?) -> (status: Int64?, signal: String?) {
        switch status {
        case .exited(let number)?: (Int64(number), nil)
        case .signalled(let name)?: (nil, name)
        case nil: (nil, nil)
        }
    }

    private static func parts(_ failure: JobFailure?) -> (end: Refusal?, cut: Refusal?) {
        switch failure {
        case .ended(let end)?: (end, nil)
        case .cut(let cut)?: (nil, cut)
        case .endedAndCut(let end, let cut)?: (end, cut)
        case nil: (nil, nil)
        }
    }
}

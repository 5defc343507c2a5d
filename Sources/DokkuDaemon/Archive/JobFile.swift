// The file of kept jobs: how it is made and opened.
import CEpollShim
import CSQLite
import Glibc

enum JobFile {
    /// Marks the file as the daemon's: `dokd`.
    private static let applicationID: Int64 = 0x646F_6B64
    /// The version of the tables. A file of a newer version is not touched.
    private static let version: Int64 = 1
    /// SQLite's. A database has a page at least.
    private static let smallestPage = 512

    static func path(in folder: String) -> String { "\(folder)/jobs.db" }

    static func exists(_ path: String) -> Bool {
        var status = stat()
        // Where nobody can look, there may be one.
        return lstat(path, &status) == 0 || errno != ENOENT
    }

    /// Which file is at a path.
    struct Identity: Equatable {
        let device: dev_t
        let inode: ino_t

        /// Nil if none is.
        init?(_ path: String) {
            var status = stat()
            guard lstat(path, &status) == 0 else { return nil }
            device = status.st_dev
            inode = status.st_ino
        }
    }

    /// The files of a database: itself and its log.
    static func identities(of path: String) -> [Identity?] { files(path).map(Identity.init) }

    private static func files(_ path: String) -> [String] { [path, path + "-wal"] }

    /// Makes the file, for the daemon's user alone, if it is not there. SQLite gives its log the same mode.
    static func make(_ path: String) throws(SystemError) {
        do throws(SystemError) {
            let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW
            let file = try Descriptor.open(path, flags, mode: 0o600)
            try file.call("fsync") { fsync($0) }
        } catch {
            if error.number == EEXIST { return }
            throw error
        }
        let folder = try Descriptor.open(
            String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)), O_RDONLY)
        try folder.call("fsync") { fsync($0) }
    }

    /// Does something that makes room in the end, if need be with the reserve.
    static func makeRoom(
        in database: Database, with reserve: Reserve, _ body: () throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        do throws(DatabaseError) {
            try body()
        } catch {
            guard error.isFull, reserve.spend() else { throw error }
            try database.moveLog()
            try body()
        }
    }

    /// Opens the file for this process alone. Closing a descriptor of a file that SQLite has open would give up its
    /// lock (fcntl(2)), so nothing else of the daemon may open the file from here on.
    static func open(_ path: String) throws(DatabaseError) -> Database {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw DatabaseError(code: SQLITE_CANTOPEN, text: "it is no regular file")
        }
        // SQLite would take it for an empty one.
        if status.st_size > 0, status.st_size < smallestPage {
            throw DatabaseError(code: SQLITE_NOTADB, text: "it is not the daemon's")
        }
        do throws(DatabaseError) {
            let database = try Database(path: path)
            // The lock comes before the log: then its index is in memory, and not in a file.
            try database.execute(
                """
                PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;
                PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA cache_size=-1024; PRAGMA secure_delete=ON;
                """)
            try prepare(database)
            // A copy that was put back may have got another mode.
            for file in files(path) { chmod(file, 0o600) }
            return database
        } catch {
            guard error.isBusy else { throw error }
            throw DatabaseError(code: error.code, text: "another process uses it")
        }
    }

    private static func prepare(_ database: Database) throws(DatabaseError) {
        let found = try database.number("PRAGMA user_version") ?? 0
        let mark = try database.number("PRAGMA application_id") ?? 0
        if found == 0, mark == 0, try database.number("SELECT count(*) FROM sqlite_schema") == 0 {
            // How pages are freed cannot be chosen once there are tables.
            try database.execute("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL")
            try database.transaction(.synced) { () throws(DatabaseError) in
                try database.execute(
                    """
                    \(PieceTable.schema) \(JobTable.schema)
                    PRAGMA application_id=\(applicationID); PRAGMA user_version=\(version)
                    """)
            }
        } else if mark != applicationID {
            throw DatabaseError(code: SQLITE_NOTADB, text: "it is not the daemon's")
        } else if found > version {
            throw DatabaseError(code: SQLITE_NOTADB, text: "a newer version of the daemon has made it")
        }
    }
}

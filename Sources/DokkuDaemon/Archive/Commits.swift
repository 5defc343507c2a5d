// Commits to the file of jobs. What adds something needs the whole reserve, and what makes room may use it.

final class Commits {
    private let database: Database
    private let table: JobTable
    private let reserve: Reserve

    init(_ table: JobTable, _ reserve: Reserve) {
        database = table.database
        self.table = table
        self.reserve = reserve
    }

    /// Adds data. As long as the reserve is spent, nothing is added, because that would use up what it has made free.
    func add(
        _ durability: Database.Durability, _ body: () throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        guard reserve.fill() else { throw .noRoom(Reserve.size) }
        try change(durability, body)
    }

    /// Makes room in the end, if need be with the reserve. Synced.
    func makeRoom(_ body: () throws(DatabaseError) -> Void) throws(DatabaseError) {
        try JobFile.makeRoom(in: database, with: reserve) { () throws(DatabaseError) in
            try change(.synced, body)
        }
    }

    /// Does all of `body`, or changes nothing.
    private func change(
        _ durability: Database.Durability, _ body: () throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        do throws(DatabaseError) {
            try database.transaction(durability, body)
        } catch {
            // If only the sync has failed, a later start would find the commit.
            if durability == .synced {
                try? database.transaction(.written) { () throws(DatabaseError) in try table.touch() }
            }
            throw error
        }
    }
}

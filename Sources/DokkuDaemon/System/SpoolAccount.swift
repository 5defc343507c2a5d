// How much spools may hold: in memory all spools together, and on disk those of one account.

/// The folder of the spools' files, and the memory that all spools use.
final class SpoolStore {
    /// How much one spool keeps in memory: while all spools together hold little, much or too much. So memory stays
    /// near `much` with any number of spools.
    static let plentyLimit = 1024 * 1024
    private static let muchLimit = 64 * 1024
    private static let tooMuchLimit = 4 * 1024
    private static let plenty = 8 * 1024 * 1024
    private static let much = 16 * 1024 * 1024

    let folder: String
    /// Allocated bytes, used or not.
    private(set) var memory = 0

    init(folder: String) { self.folder = folder }

    var hasPlenty: Bool { memory <= Self.plenty }

    /// A spool moves to a file what exceeds this.
    var memoryLimit: Int {
        hasPlenty ? Self.plentyLimit : memory <= Self.much ? Self.muchLimit : Self.tooMuchLimit
    }

    /// Updates the memory that is counted for one owner.
    func didAllocate(_ count: Int, was accounted: inout Int) {
        memory += count - accounted
        accounted = count
    }
}

/// What one owner of spools may use: its bytes are charged to a budget, in memory or on disk, and each file takes a
/// descriptor.
struct SpoolAccount {
    /// The part of each reply that is not charged to a budget, so that a small reply is never lost for lack of
    /// room.
    static let replyAllowance = 64 * 1024

    let store: SpoolStore
    let budget: Budget
    let files: Budget
    /// One file for each connection, apart from all others, so that no connection is left without a file.
    let firstFiles: Budget

    /// The account of everything together.
    init(folder: String, limit: Int, files: Int = DescriptorBudget.usualSpoolFiles, firstFiles: Int = 0) {
        self.init(
            store: SpoolStore(folder: folder), budget: Budget(limit: limit), files: Budget(limit: files),
            firstFiles: Budget(limit: firstFiles))
    }

    private init(store: SpoolStore, budget: Budget, files: Budget, firstFiles: Budget) {
        self.store = store
        self.budget = budget
        self.files = files
        self.firstFiles = firstFiles
    }

    /// The share of all restricted sockets.
    var restrictedShare: SpoolAccount {
        SpoolAccount(
            store: store, budget: Budget(restrictedShareOf: budget), files: Budget(restrictedShareOf: files),
            firstFiles: Budget(restrictedShareOf: firstFiles))
    }

    /// The share of one connection, which always leaves something to others.
    var connectionShare: SpoolAccount {
        SpoolAccount(
            store: store, budget: Budget(.halfOfWhatIsFree, of: budget),
            files: Budget(.halfOfWhatIsFree, of: files), firstFiles: Budget(.upTo(1), of: firstFiles))
    }

    /// Room for one more file; nil if the limit is reached.
    func reserveFile() -> Reservation? { Reservation(1, of: firstFiles) ?? Reservation(1, of: files) }
}

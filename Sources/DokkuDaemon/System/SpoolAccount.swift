// What spools may hold: all of them in memory, and those of one account on disk.

/// Where spools keep their files, and how much memory all of them have together.
final class SpoolStore {
    /// A spool keeps as much in memory while there is plenty, while all hold much, and while they hold too much. So
    /// with any number of spools memory stays near `much`.
    static let plentyLimit = 1024 * 1024
    private static let muchLimit = 64 * 1024
    private static let tooMuchLimit = 4 * 1024
    private static let plenty = 8 * 1024 * 1024
    private static let much = 16 * 1024 * 1024

    let folder: String
    /// Bytes that are allocated, used or not.
    private(set) var memory = 0

    init(folder: String) { self.folder = folder }

    var hasPlenty: Bool { memory <= Self.plenty }

    /// More than this of one spool is moved to a file.
    var memoryLimit: Int {
        hasPlenty ? Self.plentyLimit : memory <= Self.much ? Self.muchLimit : Self.tooMuchLimit
    }

    /// Keeps count of the memory of one owner.
    func didAllocate(_ count: Int, was accounted: inout Int) {
        memory += count - accounted
        accounted = count
    }
}

/// Who keeps something in spools: bytes are taken from the budget, whether they are in memory or on disk, and a
/// descriptor for each file.
struct SpoolAccount {
    /// As much of each reply is not taken from any budget: what is small is never lost for want of room.
    static let replyAllowance = 64 * 1024

    let store: SpoolStore
    let budget: Budget
    let files: Budget
    /// Files of which each connection takes one before all others, so that nobody is without for another's sake.
    let firstFiles: Budget

    /// All that may be kept together.
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

    /// The part of all restricted sockets.
    var restrictedShare: SpoolAccount {
        SpoolAccount(
            store: store, budget: Budget(restrictedShareOf: budget), files: Budget(restrictedShareOf: files),
            firstFiles: Budget(restrictedShareOf: firstFiles))
    }

    /// That of one connection: no more than it leaves to others.
    var connectionShare: SpoolAccount {
        SpoolAccount(
            store: store, budget: Budget(.halfOfWhatIsFree, of: budget),
            files: Budget(.halfOfWhatIsFree, of: files), firstFiles: Budget(.upTo(1), of: firstFiles))
    }

    /// A place for one more file; nil if there are as many as may be.
    func reserveFile() -> Reservation? { Reservation(1, of: firstFiles) ?? Reservation(1, of: files) }

    var used: Int { budget.used }
}

// How much of something may be in use: by all together, by a part of them, and by one.
import DokkuProtocol

/// Counts what was taken, and says what may still be. A part takes from its whole, too.
final class Budget {
    enum Limit {
        case upTo(Int)
        /// No more than what it leaves of the whole: half of what is free, so that whoever comes next finds something.
        case halfOfWhatIsFree
    }

    private let limit: Limit
    private let whole: Budget?
    private(set) var used = 0

    init(limit: Int) {
        self.limit = .upTo(limit)
        whole = nil
    }

    init(_ limit: Limit, of whole: Budget) {
        self.limit = limit
        self.whole = whole
    }

    /// The part of all restricted sockets.
    convenience init(restrictedShareOf whole: Budget) {
        self.init(.upTo(ListenerOptions.restrictedShare(of: whole.size)), of: whole)
    }

    /// What it may hold at most.
    private var size: Int {
        switch limit {
        case .upTo(let count): count
        case .halfOfWhatIsFree: (whole?.size ?? 0) / 2
        }
    }

    /// How much may still be taken of the whole. Below zero where more was taken than may be.
    var free: Int {
        switch limit {
        case .upTo(let count): min(count - used, whole?.free ?? .max)
        case .halfOfWhatIsFree: ((whole?.free ?? 0) - used) / 2
        }
    }

    /// Takes as much, or nothing if it is too much.
    func take(_ count: Int) -> Bool {
        guard count <= 0 || count <= free else { return false }
        add(count)
        return true
    }

    /// Takes as much in any case. False says that it was too much.
    func takeAnyway(_ count: Int) -> Bool {
        let isWithin = count <= 0 || count <= free
        add(count)
        return isWithin
    }

    func give(_ count: Int) { add(-count) }

    private func add(_ count: Int) {
        used += count
        whole?.add(count)
    }
}

/// What a request holds of a budget while it waits, until nobody keeps it any more.
final class Reservation {
    private let budget: Budget
    private let count: Int

    /// Nil where it is too much.
    init?(_ count: Int, of budget: Budget) {
        guard budget.take(count) else { return nil }
        self.budget = budget
        self.count = count
    }

    deinit { budget.give(count) }
}

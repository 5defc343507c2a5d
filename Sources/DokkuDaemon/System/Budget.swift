// How much of something may be in use: by all together, by a part of them, and by one.

/// Counts what was taken, and says what may still be. A part takes from its whole, too.
final class Budget {
    enum Limit {
        case upTo(Int)
        /// No more than what it leaves of the whole: half of what is free, so that whoever comes next finds something.
        case halfOfWhatIsFree
    }

    private let limit: Limit
    private let whole: Budget?
    /// As much is its own, and not taken from the whole.
    private let allowance: Int
    private(set) var used = 0

    init(limit: Int) {
        self.limit = .upTo(limit)
        whole = nil
        allowance = 0
    }

    init(_ limit: Limit, of whole: Budget, allowance: Int = 0) {
        self.limit = limit
        self.whole = whole
        self.allowance = allowance
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
        case .upTo(let count): min(count - price(of: used), whole?.free ?? .max)
        case .halfOfWhatIsFree: ((whole?.free ?? 0) - price(of: used)) / 2
        }
    }

    private func price(of count: Int) -> Int { max(0, count - allowance) }

    /// Takes as much, or nothing where it is too much.
    func take(_ count: Int) -> Bool {
        let price = price(of: used + count) - price(of: used)
        guard price <= 0 || price <= free else { return false }
        add(count)
        return true
    }

    /// Takes as much in any case. False says that it was too much.
    func takeAnyway(_ count: Int) -> Bool {
        let price = price(of: used + count) - price(of: used)
        let isWithin = price <= 0 || price <= free
        add(count)
        return isWithin
    }

    func give(_ count: Int) { add(-count) }

    private func add(_ count: Int) {
        let before = price(of: used)
        used += count
        whole?.add(price(of: used) - before)
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

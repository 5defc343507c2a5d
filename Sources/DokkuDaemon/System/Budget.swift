// Limits on how much may be in use: by all together, by a group of them, and by one.
import DokkuProtocol

/// Counts what is taken, and says how much is still free. What a part takes also counts for the whole.
final class Budget {
    enum Limit {
        case upTo(Int)
        /// Half of what is free of the whole, so that the next one always finds something.
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

    /// The share of all restricted sockets.
    convenience init(restrictedShareOf whole: Budget) {
        self.init(.upTo(ListenerOptions.restrictedShare(of: whole.size)), of: whole)
    }

    /// The most that it can ever hold.
    private var size: Int {
        switch limit {
        case .upTo(let count): count
        case .halfOfWhatIsFree: (whole?.size ?? 0) / 2
        }
    }

    /// How much may still be taken. Negative if more was taken than allowed.
    var free: Int {
        switch limit {
        case .upTo(let count): min(count - used, whole?.free ?? .max)
        case .halfOfWhatIsFree: ((whole?.free ?? 0) - used) / 2
        }
    }

    /// Takes `count`, or nothing if that is too much.
    func take(_ count: Int) -> Bool {
        guard count <= 0 || count <= free else { return false }
        add(count)
        return true
    }

    /// Takes `count` in any case. False if that is too much.
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

/// A part of a budget, held until nobody needs it any more.
final class Reservation {
    private let budget: Budget
    private let count: Int

    /// Nil if it is too much.
    init?(_ count: Int, of budget: Budget) {
        guard budget.take(count) else { return nil }
        self.budget = budget
        self.count = count
    }

    /// Takes it in any case.
    init(anyway count: Int, of budget: Budget) {
        _ = budget.takeAnyway(count)
        self.budget = budget
        self.count = count
    }

    deinit { budget.give(count) }
}

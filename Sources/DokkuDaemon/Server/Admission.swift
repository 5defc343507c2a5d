// Who may connect: counts the connections, and those through restricted sockets.
import DokkuProtocol

struct Admission {
    /// The most connections at once.
    private let limit: Int
    private let restrictedLimit: Int
    private(set) var count = 0
    private(set) var restrictedCount = 0

    init(limit: Int) {
        self.limit = limit
        restrictedLimit = ListenerOptions.restrictedShare(of: limit)
    }

    /// Whether one more connection may come. `closer` holds connections that have ended but are still open.
    func hasRoom(isRestricted: Bool, besides closer: Closer? = nil) -> Bool {
        if isRestricted, restrictedCount + (closer?.restrictedCount ?? 0) >= restrictedLimit { return false }
        return count + (closer?.count ?? 0) < limit
    }

    mutating func enter(isRestricted: Bool) {
        count += 1
        if isRestricted { restrictedCount += 1 }
    }

    mutating func leave(isRestricted: Bool) {
        count -= 1
        if isRestricted { restrictedCount -= 1 }
    }
}

// What the clients of some sockets may hold together, besides the connections themselves.

struct Allotment {
    /// Bytes of output and input.
    let spool: SpoolAccount
    /// Bytes of words, for requests that wait or run.
    let words: Budget
    /// Commands waiting in the queue.
    let places: Budget
    /// Descriptors that were handed over, until their commands have their own.
    let descriptors: Budget

    init(
        spool: SpoolAccount, words: Budget, places: Budget, descriptors: Budget = Budget(limit: 0)
    ) {
        self.spool = spool
        self.words = words
        self.places = places
        self.descriptors = descriptors
    }

    /// The share of all restricted sockets.
    init(restrictedShareOf whole: Allotment) {
        spool = whole.spool.restrictedShare
        words = Budget(restrictedShareOf: whole.words)
        places = Budget(restrictedShareOf: whole.places)
        descriptors = Budget(restrictedShareOf: whole.descriptors)
    }

    /// The share of one connection: no more than it leaves to others.
    static func part(of whole: Budget) -> Budget { Budget(.halfOfWhatIsFree, of: whole) }
}

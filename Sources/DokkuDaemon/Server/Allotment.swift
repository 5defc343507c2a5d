// What the clients of some sockets may hold together, beside the connections themselves.

struct Allotment {
    /// Bytes of output and input.
    let spool: SpoolAccount
    /// Bytes of the words of requests that wait or run.
    let words: Budget
    /// Commands that wait in the queue.
    let places: Budget

    init(spool: SpoolAccount, words: Budget, places: Budget) {
        self.spool = spool
        self.words = words
        self.places = places
    }

    /// That of all sockets that are restricted.
    init(restrictedShareOf whole: Allotment) {
        spool = whole.spool.restrictedShare
        words = Budget(restrictedShareOf: whole.words)
        places = Budget(restrictedShareOf: whole.places)
    }

    /// A connection takes no more of the spool, or of the words, than it leaves to others.
    static func part(of whole: Budget) -> Budget { Budget(.halfOfWhatIsFree, of: whole) }
}

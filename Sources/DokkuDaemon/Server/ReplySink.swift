// What answers a request, seen from the client; and where replies go, seen from what answers.

/// One request that waits for its answer.
protocol OpenRequest: AnyObject {
    /// It came as a plain line: its client's next request is taken when it was answered.
    var isPlain: Bool { get }
    /// Nobody reads any more.
    func clientDidLeave()
    /// Some of what was sent has been read.
    func readerDidAdvance()
}

/// Takes the lines of replies, for a reader that may be slow, or gone.
protocol ReplySink: AnyObject {
    /// Whose room replies take while they are not read.
    var account: SpoolAccount { get }
    /// Nobody reads replies any more.
    var hasGone: Bool { get }
    /// Bytes of replies that were not read yet.
    var unsentCount: Int { get }
    /// Adds reply lines. False if the reader is so far behind that they should not become more.
    @discardableResult
    func send(_ write: (inout [UInt8]) -> Void) -> Bool
    /// Adds a part of a reply that was kept in a spool.
    func send(_ spool: Spool)
    /// Adds a part of a reply that other replies have, too.
    func send(_ shared: SharedBytes)
    /// The last line of its answer was sent.
    func didAnswer(_ request: any OpenRequest)
}

// An open request as its client sees it, and a client as its responders see it.

/// A request that waits for its answer.
protocol OpenRequest: AnyObject {
    /// True for a plain line. Its client's next request is taken only after the answer.
    var isPlain: Bool { get }
    func clientDidLeave()
    /// The client has read some of what was sent.
    func readerDidAdvance()
}

/// Takes the lines of replies, for a reader that may be slow or gone.
protocol ReplySink: AnyObject {
    /// Replies that are not read take their room here.
    var account: SpoolAccount { get }
    /// Nobody reads replies any more.
    var hasGone: Bool { get }
    /// Bytes of replies that are not sent yet.
    var unsentCount: Int { get }
    /// Whether some of them found no room, and are in memory beyond the limit.
    var isOverfull: Bool { get }
    /// Appends reply lines. False if so much is unread that no more should be added.
    @discardableResult
    func send(_ write: (inout [UInt8]) -> Void) -> Bool
    /// Appends a part of a reply that was kept in a spool.
    func send(_ spool: Spool)
    /// Appends a part that other replies share.
    func send(_ shared: SharedBytes)
    /// The last line of the answer was sent.
    func didAnswer(_ request: any OpenRequest)
}

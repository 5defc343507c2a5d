// The event that tells where a command waits.

public struct QueuedEvent: Equatable, Sendable {
    public var job: UInt64
    /// 1 starts next.
    public var position: Int
    /// The job that has to end first, if that is known.
    public var waitsFor: UInt64?
    /// The job whose run it will share, if that is known.
    public var runsWith: UInt64?

    public init(job: UInt64, position: Int, waitsFor: UInt64? = nil, runsWith: UInt64? = nil) {
        self.job = job
        self.position = position
        self.waitsFor = waitsFor
        self.runsWith = runsWith
    }
}

// A job as the one sees it who answers for it: a job that runs, or what is kept of one.
import DokkuProtocol

protocol JobOutcome: AnyObject {
    var number: UInt64 { get }
    /// Whether an answer that is one line tells the number, too.
    var wasAskedByNumber: Bool { get }
    /// Its process has begun, so there may be output.
    var hasRun: Bool { get }
    /// How the process ended; nil if there was none, or if nobody saw its end.
    var status: ExitStatus? { get }
    /// What went wrong, besides the exit status.
    var failure: JobFailure? { get }
    var isSuccess: Bool { get }
    var queuedDuration: Duration { get }
    var runDuration: Duration { get }
    /// Its output waits until the reader has room, and it ends if the reader leaves. The output of others is kept.
    var waitsForReader: Bool { get }
    /// It is ended if its client leaves, whether the client has asked for that or not.
    var endsWithClient: Bool { get }
    /// Not all output could be kept for the answer: the rest of it is dropped.
    func truncate(_ reason: Refusal)
    /// Nobody wants the answer any more, or somebody wants it to end.
    func interrupt(_ reason: Refusal)
    /// Call it if `JobObserver.wantsOutput` has changed.
    func reconsiderOutput()
}

// How far a request has come, and what each event does to it.
import DokkuProtocol

/// | stage | `continue` | `queued`, `started` | SIGINT, SIGTERM | the last line |
/// |---|---|---|---|---|
/// | `asked` | `feeding` | `accepted` | `over`, left | `over` |
/// | `feeding` | | `accepted` | `over`, left | `over` |
/// | `accepted` | | | `cancelling` 1, and a cancel | `over` |
/// | `cancelling` 1 | | | `cancelling` 2, and a cancel, which kills | `over` |
/// | `cancelling` 2 | | | `over`, left | `over` |
/// | `over` | | | `over`, left | |
///
/// A cancel that is refused leads from `cancelling` to `over`, left. The end of the input leads from `feeding` back to
/// `asked`. The end of the connection is the end at every stage.
enum RequestStage {
    case asked
    /// The daemon wants the input.
    case feeding
    case accepted(job: UInt64)
    /// A signal came so many times; which one was the first.
    case cancelling(job: UInt64, times: Int, signal: Int32)
    case over(Ending)

    enum Ending {
        /// `cancelledBy` is the signal that came before, if any.
        case ended(ReplyLine.End, cancelledBy: Int32?)
        /// The connection ended before the answer. A job has a number once it is accepted.
        case lost(job: UInt64?)
        /// A person pressed Ctrl-C before there was a job, or for the third time.
        case left(signal: Int32, job: UInt64?)
        /// Nobody reads the output any more.
        case readerHasLeft
        /// The client's own input could not be read.
        case inputFailed(SystemFailure)
        /// What came is no answer of the daemon's.
        case strange
    }

    mutating func inputIsWanted() {
        if case .asked = self { self = .feeding }
    }

    mutating func inputHasEnded() {
        if case .feeding = self { self = .asked }
    }

    mutating func isAccepted(_ job: UInt64) {
        switch self {
        case .asked, .feeding: self = .accepted(job: job)
        case .accepted, .cancelling, .over: break
        }
    }

    /// The job to be cancelled, if the signal asks for that.
    mutating func interrupted(by signal: Int32) -> UInt64? {
        switch self {
        case .accepted(let job):
            self = .cancelling(job: job, times: 1, signal: signal)
            return job
        case .cancelling(let job, 1, let first):
            self = .cancelling(job: job, times: 2, signal: first)
            return job
        case .asked, .feeding, .cancelling, .over:
            end(.left(signal: signal, job: job))
            return nil
        }
    }

    mutating func cancelIsRefused() {
        if case .cancelling(let job, _, let signal) = self { end(.left(signal: signal, job: job)) }
    }

    mutating func answered(_ end: ReplyLine.End) {
        guard case .cancelling(_, _, let signal) = self else {
            return self.end(.ended(end, cancelledBy: nil))
        }
        self.end(.ended(end, cancelledBy: signal))
    }

    mutating func end(_ ending: Ending) { self = .over(ending) }

    var isOver: Bool {
        if case .over = self { true } else { false }
    }

    var isFeeding: Bool {
        if case .feeding = self { true } else { false }
    }

    var isCancelling: Bool {
        if case .cancelling = self { true } else { false }
    }

    var job: UInt64? {
        switch self {
        case .accepted(let job), .cancelling(let job, _, _): job
        case .asked, .feeding, .over: nil
        }
    }
}

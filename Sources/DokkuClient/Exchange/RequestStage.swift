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
/// The end of the input leads from `feeding` back to `asked`. The end of the connection is the end at every stage.
enum RequestStage {
    case asked
    /// The daemon wants the input.
    case feeding
    case accepted(job: UInt64)
    /// Ctrl-C came so many times.
    case cancelling(job: UInt64, times: Int)
    case over(Ending)

    enum Ending {
        /// `wasCancelled` if Ctrl-C came before.
        case ended(ReplyLine.End, wasCancelled: Bool)
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
            self = .cancelling(job: job, times: 1)
            return job
        case .cancelling(let job, 1):
            self = .cancelling(job: job, times: 2)
            return job
        case .asked, .feeding, .cancelling, .over:
            end(.left(signal: signal, job: job))
            return nil
        }
    }

    mutating func answered(_ end: ReplyLine.End) {
        self.end(.ended(end, wasCancelled: isCancelling))
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
        case .accepted(let job), .cancelling(let job, _): job
        case .asked, .feeding, .over: nil
        }
    }
}

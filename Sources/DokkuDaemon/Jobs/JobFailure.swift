// Why a job is no success, beside its exit status: it did not run to its end, not all of its output is there, or both.
import DokkuProtocol

/// The first reason of each kind stays:
///
/// |          | is ended    | output is cut |
/// |----------|-------------|---------------|
/// | nothing  | ended       | cut           |
/// | ended    | as it was   | both          |
/// | cut      | both        | as it was     |
/// | both     | as it was   | as it was     |
enum JobFailure: Equatable {
    /// Not run, or ended before its time.
    case ended(Refusal)
    /// Run to its end, with output missing from some point on.
    case cut(Refusal)
    case endedAndCut(end: Refusal, cut: Refusal)

    /// Notes that the job is ended.
    static func add(end: Refusal, to failure: JobFailure?) -> JobFailure {
        switch failure {
        case nil: .ended(end)
        case .cut(let cut)?: .endedAndCut(end: end, cut: cut)
        case let known?: known
        }
    }

    /// Notes that output is missing.
    static func add(cut: Refusal, to failure: JobFailure?) -> JobFailure {
        switch failure {
        case nil: .cut(cut)
        case .ended(let end)?: .endedAndCut(end: end, cut: cut)
        case let known?: known
        }
    }

    var isEnded: Bool {
        if case .cut = self { false } else { true }
    }

    var isOutputCut: Bool {
        if case .ended = self { false } else { true }
    }

    /// The one reason that has a place in a reply's `error`: that it was ended tells more than that output is missing.
    var reason: Refusal {
        switch self {
        case .ended(let reason), .cut(let reason), .endedAndCut(let reason, _): reason
        }
    }

    /// All there is to say, in the order in which a reader meets it behind the output.
    var reasons: [Refusal] {
        switch self {
        case .ended(let reason), .cut(let reason): [reason]
        case .endedAndCut(let end, let cut): [cut, end]
        }
    }
}

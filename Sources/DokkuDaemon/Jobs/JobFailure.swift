// Why a job has failed, besides its exit status: it was ended early, output is missing, or both.
import DokkuProtocol

/// The first reason of each kind stays:
///
/// |          | is ended    | output is cut |
/// |----------|-------------|---------------|
/// | nothing  | ended       | cut           |
/// | ended    | unchanged   | both          |
/// | cut      | both        | unchanged     |
/// | both     | unchanged   | unchanged     |
enum JobFailure: Equatable {
    /// Did not run, or was ended early.
    case ended(Refusal)
    /// Ran to its end, but output is missing after some point.
    case cut(Refusal)
    case endedAndCut(end: Refusal, cut: Refusal)

    /// Adds that the job was ended.
    static func add(end: Refusal, to failure: JobFailure?) -> JobFailure {
        switch failure {
        case nil: .ended(end)
        case .cut(let cut)?: .endedAndCut(end: end, cut: cut)
        case let known?: known
        }
    }

    /// Adds that output is missing.
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

    var isOutputCut: Bool { cut != nil }

    /// Why output is missing, if it is.
    var cut: Refusal? {
        switch self {
        case .ended: nil
        case .cut(let cut), .endedAndCut(_, let cut): cut
        }
    }

    /// The one reason for a reply's `error`. An early end says more than missing output.
    var reason: Refusal {
        switch self {
        case .ended(let reason), .cut(let reason), .endedAndCut(let reason, _): reason
        }
    }

    /// All reasons, in their order after the output.
    var reasons: [Refusal] {
        switch self {
        case .ended(let reason), .cut(let reason): [reason]
        case .endedAndCut(let end, let cut): [cut, end]
        }
    }
}

// What is kept of a detached job, besides its data.
import DokkuProtocol
import Glibc

/// A detached job, from when it is accepted until it is forgotten. Its words are not here, because they may be long
/// and secret.
struct KeptJob {
    enum State: Equatable {
        case waiting
        case running
        case ended(Ending)
    }

    struct Ending: Equatable {
        /// Nil if there was no process, or if nobody saw its end.
        var status: ExitStatus?
        var failure: JobFailure?
        /// How long it waited and ran.
        var queued: Duration
        var ran: Duration
        var date: time_t

        var isSuccess: Bool { failure == nil && status?.isSuccess == true }
    }

    let number: UInt64
    /// The command, without secrets.
    let title: String
    let peer: Peer
    let queuedDate: time_t
    /// 0 before its start.
    var startedDate: time_t = 0
    var state = State.waiting
    /// Bytes of raw output that are kept.
    var outputCount = 0

    var ending: Ending? { if case .ended(let ending) = state { ending } else { nil } }
}

extension Refusal {
    /// For a job that ran when a daemon ended.
    static let interrupted = Refusal(
        code: .interrupted,
        text: "The daemon ended while the command ran. Whether and how it went on is not known")
    static let unknownJob = Refusal(code: .unknownJob, text: "No job of this number is kept")

    static func storageFailed(_ reason: String) -> Refusal {
        Refusal(code: .storageFailed, text: "The job could not be kept on disk: \(reason)")
    }

    static func waitsOn(_ reason: String) -> Refusal {
        Refusal(
            code: .storageFailed,
            text: "The job waits on, because its end could not be kept on disk: \(reason)")
    }

    static func unreadable(_ reason: String) -> Refusal {
        Refusal(code: .storageFailed, text: "What is kept of jobs cannot be read: \(reason)")
    }
}

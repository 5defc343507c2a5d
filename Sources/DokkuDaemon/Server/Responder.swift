// Answers one request: makes the lines for a client from a result.
import DokkuProtocol

/// Answers one request, once: with a text, a refusal, or the result of a job.
protocol Responder: JobObserver, OpenRequest {
    /// Where its answer goes.
    var sink: any ReplySink { get }
    /// A built-in's answer.
    func answer(_ answer: SharedAnswer)
    /// Whether output is sent as it comes. Otherwise the answer begins with how the job has ended.
    var isLive: Bool { get }
    /// The request's job outlives its client, and has this number.
    func answer(acceptedJob number: UInt64)
    /// The answer is read from the archive, and will come with `jobDidEnd`.
    func awaits(_ outcome: any JobOutcome)
    /// The request does not run.
    func refuse(_ refusal: Refusal)
}

extension Responder {
    /// Answers with a text that only this request gets.
    func answer(_ text: String) { answer(SharedAnswer(text, account: sink.account)) }
}

extension Refusal {
    /// The answer of a built-in found no room.
    static func unstored(_ error: SystemError) -> Refusal {
        Refusal(
            code: .outputTruncated, text: "The answer is missing, because it could not be stored: \(error)")
    }
}

extension Spool.Failure {
    var reason: String {
        switch self {
        case .accountExhausted: "too much data is waiting"
        case .file(let error): "\(error)"
        }
    }

    /// The answer to a client whose output could not be kept.
    var refusal: Refusal {
        Refusal(code: .outputTruncated, text: "The output was cut, because it could not be stored: \(reason)")
    }
}

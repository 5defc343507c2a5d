// Who answers one request: the place where results become lines for a client.
import DokkuProtocol

/// Answers one request, once: with a text, with a refusal, or with what becomes of a job.
protocol Responder: JobObserver, OpenRequest {
    /// Where its answer goes.
    var sink: any ReplySink { get }
    /// A built-in's answer.
    func answer(_ answer: SharedAnswer)
    /// The request is not run.
    func refuse(_ refusal: Refusal)
}

extension Responder {
    /// An answer that is this one's alone.
    func answer(_ text: String) { answer(SharedAnswer(text, account: sink.account)) }
}

extension Spool.Failure {
    var reason: String {
        switch self {
        case .accountExhausted: "too much is waiting already"
        case .file(let error): "\(error)"
        }
    }

    /// What a client is told whose output could not be kept.
    var refusal: Refusal {
        Refusal(code: .outputTruncated, text: "The output was cut, since it cannot be kept: \(reason)")
    }
}

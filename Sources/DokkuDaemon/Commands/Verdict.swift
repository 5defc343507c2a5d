// The policy's decision about a request.
import DokkuProtocol

enum Verdict: Equatable, Sendable {
    case builtin(Builtin)
    case run(Invocation, Lane)
    case refuse(Refusal)
    /// The catalogue lacks this name (or there is no catalogue yet), but a newer one may have it.
    case unknown(Invocation)
}

extension Verdict {
    var refusal: Refusal? { if case .refuse(let refusal) = self { refusal } else { nil } }
}

// What the policy says of a request.
import DokkuProtocol

enum Verdict: Equatable, Sendable {
    case builtin(Builtin)
    case run(Invocation, Lane)
    case refuse(Refusal)
    /// A name that the catalogue lacks (or there is none yet), but that a newer one may have.
    case unknown(Invocation)
}

extension Verdict {
    var refusal: Refusal? { if case .refuse(let refusal) = self { refusal } else { nil } }
}

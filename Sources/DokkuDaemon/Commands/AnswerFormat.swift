// In which form one of the daemon's own commands answers. The words are those of dokku's own commands.
import DokkuProtocol

enum AnswerFormat: Equatable, Sendable {
    /// For people.
    case text
    /// One JSON value, for programs.
    case json

    /// Reads `[--format json|stdout]`, which is all that may follow the name at `index`.
    init(_ arguments: ArgumentList, after index: Int) throws(Refusal) {
        switch arguments.count - index {
        case 1: self = .text
        case 2 where arguments.word(index + 1, is: "--format=json"): self = .json
        case 2 where arguments.word(index + 1, is: "--format=stdout"): self = .text
        case 3 where arguments.word(index + 1, is: "--format") && arguments.word(index + 2, is: "json"):
            self = .json
        case 3 where arguments.word(index + 1, is: "--format") && arguments.word(index + 2, is: "stdout"):
            self = .text
        default:
            throw Refusal(
                code: .invalidRequest,
                text: "\(arguments.text(index)) takes no arguments but --format json or --format stdout")
        }
    }
}

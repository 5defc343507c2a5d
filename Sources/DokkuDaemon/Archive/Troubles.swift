// What the archive complains of: each kind of trouble once, until it is over.
import DokkuProtocol

final class Troubles {
    enum Kind { case opening, writing, reading }

    private let path: String
    private let complain: (String) -> Void
    private var kinds: Set<Kind> = []

    /// `complain` gets a line for people about the file.
    init(_ path: String, complain: @escaping (String) -> Void) {
        self.path = path
        self.complain = complain
    }

    func report(_ kind: Kind, _ text: @autoclosure () -> String) {
        if kinds.insert(kind).inserted { complain(text()) }
    }

    func isOver(_ kind: Kind) { kinds.remove(kind) }

    func cannotRead(_ error: DatabaseError) -> Refusal {
        report(.reading, "cannot read \(path): \(error)")
        return .unreadable(error.text)
    }

    func cannotWrite(_ error: DatabaseError) -> Refusal {
        report(.writing, "cannot write \(path): \(error)")
        return .storageFailed(error.text)
    }

    func reportEnd(of job: UInt64) {
        report(.writing, "cannot write the end of job \(job) into \(path), and will try again")
    }
}

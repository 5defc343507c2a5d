// What the daemon at a socket can do that an older one cannot.
import DokkuProtocol

struct Features {
    private let names: Set<String>

    func contains(_ feature: Feature) -> Bool { names.contains(feature.rawValue) }

    /// Asks on a connection of its own. An old daemon, or none, has no features.
    init(of path: String, interruption: Int32) {
        let answer = Inquiry.answer(
            to: ["daemon:version", "--format", "json"], at: path, milliseconds: Self.patience,
            interruption: interruption)
        names = Set(answer.flatMap { VersionReport($0) }?.features ?? [])
    }

    /// The daemon answers at once, except right after its start, when it reads dokku's list.
    private static let patience: Int32 = 5000
}

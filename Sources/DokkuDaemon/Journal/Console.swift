// What the daemon says of itself to whoever started it: standard error, which systemd takes to the journal.
import Glibc

struct Console {
    /// Severities, sd-daemon(3).
    enum Level: Int { case error = 3, warning = 4, notice = 5, info = 6 }

    /// True where systemd reads standard error: then a line begins with its level.
    private let isJournal: Bool

    init(environment: [String: String]) { isJournal = environment["JOURNAL_STREAM"] != nil }

    /// Writes one line. A full or closed standard error costs the line.
    func say(_ level: Level, _ text: String) {
        let line = Array("\(isJournal ? "<\(level.rawValue)>" : "dokku-daemon: ")\(text)\n".utf8)
        _ = write(2, line, line.count)
    }
}

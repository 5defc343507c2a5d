// The daemon's own messages, on standard error. systemd passes them to the journal.
import Glibc

struct Console {
    /// Severities, sd-daemon(3).
    enum Level: Int { case error = 3, warning = 4 }

    /// True if the journal reads standard error: then each line begins with its level.
    private let isJournal: Bool

    init(environment: [String: String]) { isJournal = Self.isJournal(environment) }

    /// Writes one line. If standard error is full or closed, the line is lost.
    func say(_ level: Level, _ text: String) {
        // Not with O_NONBLOCK: it would apply to every process that has the same pipe or terminal.
        var ready = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        guard poll(&ready, 1, 0) == 1 else { return }
        let line = Array("\(isJournal ? "<\(level.rawValue)>" : "dokku-daemon: ")\(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }

    /// True if standard error is connected to the journal. The variable alone does not show that, because it may be
    /// inherited from a process with another standard error (systemd.exec(5), JOURNAL_STREAM).
    static func isJournal(_ environment: [String: String]) -> Bool {
        var status = stat()
        guard let stream = environment["JOURNAL_STREAM"], fstat(STDERR_FILENO, &status) == 0 else {
            return false
        }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}

/// Whether commands get entries in the journal: `DOKKU_DAEMON_JOURNAL`.
enum JournalUse: String {
    case always = "yes"
    case never = "no"
    /// Only if the daemon's standard error goes to the journal.
    case automatic = "auto"

    func isWanted(_ environment: [String: String]) -> Bool {
        switch self {
        case .always: true
        case .never: false
        case .automatic: Console.isJournal(environment)
        }
    }
}

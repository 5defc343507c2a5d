// What the daemon says of itself to whoever started it: standard error, which systemd takes to the journal.
import Glibc

struct Console {
    /// Severities, sd-daemon(3).
    enum Level: Int { case error = 3, warning = 4, notice = 5, info = 6 }

    /// True where systemd reads standard error: then a line begins with its level.
    private let isJournal: Bool

    init(environment: [String: String]) { isJournal = Self.isJournal(environment) }

    /// Writes one line. A full or closed standard error costs the line.
    func say(_ level: Level, _ text: String) {
        // Not by O_NONBLOCK: that would hold for everybody who has the same pipe or terminal.
        var ready = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        guard poll(&ready, 1, 0) == 1 else { return }
        let line = Array("\(isJournal ? "<\(level.rawValue)>" : "dokku-daemon: ")\(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }

    /// True where standard error is the journal's. The variable alone says nothing: it may be inherited from somebody
    /// whose it was (systemd.exec(5), JOURNAL_STREAM).
    static func isJournal(_ environment: [String: String]) -> Bool {
        var status = stat()
        guard let stream = environment["JOURNAL_STREAM"], fstat(STDERR_FILENO, &status) == 0 else {
            return false
        }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}

/// Whether commands get entries in the journal, `DOKKU_DAEMON_JOURNAL`.
enum JournalUse: String {
    case always = "yes"
    case never = "no"
    /// Where the journal has the daemon's standard error, too.
    case automatic = "auto"

    func isWanted(_ environment: [String: String]) -> Bool {
        switch self {
        case .always: true
        case .never: false
        case .automatic: Console.isJournal(environment)
        }
    }
}

// Ends a command that shows a build's output, when the build has ended.

/// Checks once a second whether a build still runs: dokku's record of it is a file, and its process is not a child
/// of the daemon.
final class BuildWatch {
    private static let interval = Duration.seconds(1)

    private let records: BuildRecords
    private let query: BuildRecords.Query
    private let loop: EventLoop
    private let end: () -> Bool
    /// The build that was seen running.
    private var id: String?
    private var isOver = false
    private var timer: Timer?

    /// Create it before the command starts, so that the command finds no running build that was not seen here.
    /// `end` is called when the build has ended and its last output had time to be shown, and again if it returns
    /// false because it is too early. It is never called for a build that was not running: that output ends by
    /// itself.
    init(_ query: BuildRecords.Query, records: BuildRecords, loop: EventLoop, end: @escaping () -> Bool) {
        self.query = query
        self.records = records
        self.loop = loop
        self.end = end
        id = records.running(query)
        lookLater()
    }

    deinit { timer?.cancel() }

    private func lookLater() {
        timer = loop.timers.schedule(after: Self.interval) { [weak self] in self?.look() }
    }

    private func look() {
        if let id, !records.isRunning(id, of: query.app) {
            if isOver, end() { return }
            isOver = true
        } else if id == nil {
            id = records.running(query)
        }
        lookLater()
    }
}

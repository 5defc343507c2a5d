// Ends what shows a build's output when the build is over.

/// Looks once a second whether a build still runs: its record is a file, and its process is nobody's child here.
final class BuildWatch {
    private static let interval = Duration.seconds(1)

    private let records: BuildRecords
    private let query: BuildRecords.Query
    private let loop: EventLoop
    private let end: () -> Bool
    /// The build that was seen to run.
    private var id: String?
    private var isOver = false
    private var timer: Timer?

    /// To be made before the command starts, so that the command cannot find a build running that is not seen here.
    /// `end` is called when the build is over and its last words have had a while to be shown, and again where it says
    /// that it is too early. It is never called for a build that did not run: its output ends by itself.
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

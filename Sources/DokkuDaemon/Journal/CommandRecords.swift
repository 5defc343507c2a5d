// Writes down everything about a command, in all four places: the log file, the system's journal, the record of running
// commands, and the board for those who follow events.

final class CommandRecords {
    private let log: AuditLog
    private let journal: SystemJournal?
    private let running: RunningRecord?
    private let board: Board

    /// Reports at once which commands the end of the previous daemon interrupted.
    init(log: AuditLog, journal: SystemJournal?, running: RunningRecord?, board: Board = Board()) {
        self.log = log
        self.journal = journal
        self.board = board
        // Without log and journal there is no place to report an interrupted command.
        self.running = log.isOn || journal != nil ? running : nil
        for command in running?.interrupted ?? [] {
            log.interrupted(command)
            journal?.interrupted(command)
        }
    }

    /// How many bytes of a command's output can be used.
    var excerptLimit: Int { log.excerptLimit }

    func accepted(_ job: Job) {
        log.accepted(job)
        journal?.accepted(job)
        board.post(about: job.peer.owner) { job.describeEvent(in: &$0) }
    }

    /// The command was accepted by an earlier daemon, and waits.
    func tookOver(_ job: Job) {
        log.note("#\(job.number) waits, accepted by an earlier daemon: \(job.title)")
        board.post(about: job.peer.owner) { job.describeEvent(in: &$0) }
    }

    /// The command of a run is about to start, or another job of the run has become its first.
    func willStart(_ job: Job) { running?.willStart(job) }

    func started(_ job: Job) { board.post(about: job.peer.owner) { job.describeEvent(in: &$0) } }

    func ended(_ job: Job) {
        log.ended(job)
        journal?.ended(job)
        running?.ended(job)
        board.post(about: job.peer.owner) { job.describeEvent(in: &$0) }
    }
}

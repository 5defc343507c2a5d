// Writes down everything about a command, in all three places: the log file, the system's journal, and the record
// of running commands.

final class CommandRecords {
    private let log: AuditLog
    private let journal: SystemJournal?
    private let running: RunningRecord?

    /// Reports at once which commands the end of the previous daemon interrupted.
    init(log: AuditLog, journal: SystemJournal?, running: RunningRecord?) {
        self.log = log
        self.journal = journal
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
    }

    /// The command was accepted by an earlier daemon, and waits.
    func tookOver(_ job: Job) {
        log.note("#\(job.number) waits, accepted by an earlier daemon: \(job.title)")
    }

    func willStart(_ job: Job) { running?.willStart(job) }

    func ended(_ job: Job) {
        log.ended(job)
        journal?.ended(job)
        running?.ended(job)
    }
}

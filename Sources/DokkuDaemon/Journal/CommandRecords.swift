// All that is written down of a command, in each place where it is: the log file, the system's journal, and the
// record of what runs.

final class CommandRecords {
    private let log: AuditLog
    private let journal: SystemJournal?
    private let running: RunningRecord?

    /// Says at once what the daemon before was interrupted at.
    init(log: AuditLog, journal: SystemJournal?, running: RunningRecord?) {
        self.log = log
        self.journal = journal
        self.running = running
        for command in running?.interrupted ?? [] {
            log.interrupted(command)
            journal?.interrupted(command)
        }
    }

    func accepted(_ job: Job) {
        log.accepted(job)
        journal?.accepted(job)
    }

    func willStart(_ job: Job) { running?.willStart(job) }

    func ended(_ job: Job) {
        log.ended(job)
        journal?.ended(job)
        running?.ended(job)
    }
}

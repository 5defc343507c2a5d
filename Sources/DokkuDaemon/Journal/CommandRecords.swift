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
        // Where nothing is written down there is nothing to mark as interrupted.
        self.running = log.isOn || journal != nil ? running : nil
        for command in running?.interrupted ?? [] {
            log.interrupted(command)
            journal?.interrupted(command)
        }
    }

    /// How much of a command's output is wanted.
    var excerptLimit: Int { log.excerptLimit }

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

// The system's journal: one entry when a command is accepted and one when it has ended, with fields to search by.
//
// Entries go through the daemon's own socket, because libsystemd waits while the journal is full. Here entries that
// find no room are counted, and the count is sent as soon as there is room.
import CEpollShim
import Glibc

final class SystemJournal {
    static let standardPath = "/run/systemd/journal/socket"

    private let path: String
    private var socket: Descriptor?
    private var entry = JournalEntry()
    private var lostCount = 0
    private let complain: (String) -> Void

    /// `complain` is called when entries begin to be lost.
    init(path: String = standardPath, complain: @escaping (String) -> Void) {
        self.path = path
        self.complain = complain
    }

    func accepted(_ job: Job) {
        entry.begin(.accepted, .information, message: "#\(job.number) accepted: \(job.title)")
        describe(job)
        send()
    }

    func ended(_ job: Job) {
        let priority = job.isSuccess ? JournalEntry.Priority.information : .notice
        entry.begin(.ended, priority, message: "#\(job.number) \(job.outcome): \(job.title)")
        describe(job)
        switch job.status {
        case .exited(let status): entry.add("DOKKU_EXIT_STATUS", "\(status)")
        case .signalled(let signal): entry.add("DOKKU_SIGNAL", signal)
        case nil: break
        }
        if let lead = job.lead { entry.add("DOKKU_RUN", "\(lead)") }
        if let failure = job.failure { entry.add("DOKKU_ERROR", failure.reason.code.rawValue) }
        entry.add("DOKKU_DURATION_USEC", "\(job.runDuration.wholeNanoseconds / 1000)")
        send()
    }

    func interrupted(_ command: InterruptedCommand) {
        entry.begin(
            .interrupted, .warning,
            message: "#\(command.number) interrupted by the end of the daemon: \(command.title)")
        entry.add("DOKKU_JOB", "\(command.number)")
        entry.add("DOKKU_COMMAND", command.title)
        entry.add("DOKKU_ERROR", "interrupted")
        send()
    }

    private func describe(_ job: Job) {
        entry.add("DOKKU_JOB", "\(job.number)")
        entry.add("DOKKU_COMMAND", job.title)
        entry.add("DOKKU_CLIENT_PID", "\(job.peer.pid)")
        entry.add("DOKKU_CLIENT_UID", "\(job.peer.uid)")
        entry.add("DOKKU_CLIENT_GID", "\(job.peer.gid)")
        if job.command.request.isDetached { entry.add("DOKKU_DETACHED", "yes") }
        if let user = job.peer.rules.user { entry.add("DOKKU_CLIENT_NAME", user) }
        if let cgroup = job.peer.cgroup { entry.add("DOKKU_CLIENT_CGROUP", cgroup) }
        entry.add("DOKKU_LISTENER", job.peer.listener)
    }

    // MARK: Sending

    private func send() {
        if lostCount > 0, deliver(loss()) { lostCount = 0 }
        if lostCount > 0 || !deliver(entry) { lose() }
    }

    private func loss() -> JournalEntry {
        var loss = JournalEntry()
        loss.begin(.lost, .warning, message: "\(lostCount) entries were lost here")
        loss.add("DOKKU_LOST", "\(lostCount)")
        return loss
    }

    private func lose() {
        if lostCount == 0 { complain("the journal at \(path) accepts no entries: they are being lost") }
        lostCount += 1
    }

    /// False if it cannot be sent now.
    private func deliver(_ entry: JournalEntry) -> Bool {
        do throws(SystemError) {
            return try deliverOnce(entry)
        } catch {
            // The socket's other end is gone. A restarted journal may have a new one.
            socket = nil
            return (try? deliverOnce(entry)) ?? false
        }
    }

    private func deliverOnce(_ entry: JournalEntry) throws(SystemError) -> Bool {
        if socket == nil { socket = try connect() }
        guard let outcome = try socket?.write(entry.bytes[...]) else { return false }
        return outcome != .wouldBlock
    }

    private func connect() throws(SystemError) -> Descriptor {
        let socket = Descriptor(owning: try retrying("socket") { shim_unix_datagram_socket() })
        try socket.call("connect") { shim_connect($0, path) }
        return socket
    }
}

extension Job {
    /// How it ended, in a few words.
    fileprivate var outcome: String {
        let ending =
            switch status {
            case .exited(let status): "ended with status \(status)"
            case .signalled(let signal): "ended by \(signal)"
            case nil: "did not run"
            }
        return failure.map { "\(ending), \($0.reason.code.rawValue)" } ?? ending
    }
}

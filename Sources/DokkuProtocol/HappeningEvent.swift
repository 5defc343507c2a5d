// What `daemon:events` tells besides its last line.

public enum HappeningEvent: Equatable, Sendable {
    /// A job was accepted, has started or has ended; or before `live`, how it is with it.
    case job(JobReport)
    /// The list of dokku's commands has been read.
    case refreshed(commands: Int, readAt: Int64)
    /// The daemon has been told to stop.
    case stopping
    /// So many events are missing here.
    case lost(count: Int)
    /// What was so already ends here.
    case live
}

extension HappeningEvent {
    /// Nil if it is another event, also one of a job in a state that this version does not know.
    init?(_ event: String, _ members: ReplyMembers) throws(ReplyMembers.Fault) {
        switch event {
        case "job":
            guard let report = try JobReport(members) else { return nil }
            self = .job(report)
        case "refreshed":
            self = .refreshed(
                commands: try members.required("commands", \.int),
                readAt: try members.required("read_at", \.date))
        case "stopping": self = .stopping
        case "lost": self = .lost(count: try members.required("count", \.int))
        case "live": self = .live
        default: return nil
        }
    }
}

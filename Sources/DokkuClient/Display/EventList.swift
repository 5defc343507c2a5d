// Shows `daemon:events` in a pipe: a line for each event, for people or as it came.
import DokkuProtocol

final class EventList: Viewer {
    /// Milliseconds until a daemon that has gone is looked for again.
    static let pause: Int32 = 1000

    private let isRaw: Bool
    /// Whether the daemon has told something.
    private var hasBegun = false
    /// What has happened to the connection, until there is something to show.
    private var note: String?

    init(isRaw: Bool) { self.isRaw = isRaw }

    func shown(_ event: HappeningEvent, _ line: ArraySlice<UInt8>) -> [UInt8] {
        hasBegun = true
        if isRaw { return Array(line) + [UInt8(ascii: "\n")] }
        return look() + bytes(Self.text(event, now: Clock.date))
    }

    var nextLook: Int32? { note == nil ? nil : 0 }

    func look() -> [UInt8] {
        defer { note = nil }
        return note.map(bytes) ?? []
    }

    /// A program that reads the lines as they came decides for itself.
    func interrupted(_ text: String) -> Int32? {
        if isRaw || !hasBegun { return nil }
        note = "\(Spell.stamp(Clock.date)) \(Printable.line(text)); looking for the daemon"
        return Self.pause
    }

    static func text(_ event: HappeningEvent, now: Int64) -> String {
        switch event {
        case .job(let report): text(report)
        case .refreshed(let commands, let readAt):
            "\(Spell.stamp(readAt)) dokku's list was read: \(commands) commands"
        case .stopping: "\(Spell.stamp(now)) the daemon is stopping"
        case .lost(let count): "\(Spell.stamp(now)) \(count) events are missing here"
        case .live: "\(Spell.stamp(now)) live"
        }
    }

    private static func text(_ report: JobReport) -> String {
        let command = Printable.text(report.command)
        switch report.state {
        case .waiting: return "\(Spell.stamp(report.queuedAt)) queued \(report.job) \(command)"
        case .running:
            return "\(Spell.stamp(report.startedAt ?? report.queuedAt)) started \(report.job) \(command)"
        case .ended(let end):
            let result =
                Printable.text(JobTable.result(end))
                + (end.status == nil ? "" : " after \(Spell.duration(end.ran))")
            return "\(Spell.stamp(end.date)) ended \(report.job) \(command) [\(result)]"
        }
    }

    private func bytes(_ text: String) -> [UInt8] { Array("\(text)\n".utf8) }
}

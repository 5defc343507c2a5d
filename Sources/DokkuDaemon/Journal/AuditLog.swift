// The log file: what was accepted before it runs, and what became of it; one line each.
import CEpollShim
import Glibc

/// Lines at `DOKKU_DAEMON_LOGFILE`. A log that cannot be written costs lines, which are counted and reported as
/// soon as it can be; it never costs a request.
final class AuditLog {
    private let path: String?
    private var file: Descriptor?
    private var lostLines = 0
    private var isCut = false
    private var line: [UInt8] = []
    private var stamp: [UInt8] = []
    private var stampSecond: time_t = -1
    private let complain: (String) -> Void

    /// `path` nil: no log. `complain` is told when lines begin to be lost.
    init(path: String?, complain: @escaping (String) -> Void) {
        self.path = path
        self.complain = complain
        line.reserveCapacity(512)
        reopen()
    }

    /// Opens the file anew, after somebody moved it away.
    func reopen() {
        guard let path else { return }
        do throws(SystemError) {
            try open()
        } catch {
            complain("the log \(path) cannot be opened: \(error.reason)")
        }
    }

    private func open() throws(SystemError) {
        file = nil
        guard let path else { return }
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
        file = try Descriptor.open(path, flags, mode: 0o640)
    }

    /// How much of an output a line shows.
    var excerptLimit: Int { isOn ? 4096 : 0 }

    var isOn: Bool { path != nil }

    func note(_ text: String) {
        guard isOn else { return }
        begin("")
        add(text)
        end()
    }

    func accepted(_ job: Job) {
        guard isOn else { return }
        begin("[cmd] ")
        add("#\(job.number)")
        add(job.peer)
        add(" ")
        add(job.title)
        end()
    }

    func ended(_ job: Job) {
        guard isOn else { return }
        begin("[res] ")
        add("#\(job.number)")
        switch job.status {
        case .exited(let status): add(" status=\(status)")
        case .signalled(let signal): add(" signal=\(ExitStatus.signalName(signal))")
        case nil: break
        }
        if let failure = job.failure { add(" error=\(failure.reason.code.rawValue)") }
        add(" run_ms=\(job.runDuration.wholeMilliseconds) bytes=\(job.outputCount)")
        if !job.excerpt.isEmpty {
            add(" ")
            add(Redaction.sanitize(job.excerpt, limit: excerptLimit))
        }
        end()
    }

    /// A command of the daemon before, whose end nobody saw.
    func interrupted(_ command: InterruptedCommand) {
        guard isOn else { return }
        begin("[res] ")
        add("#\(command.number) error=interrupted by the end of the daemon: \(command.title)")
        end()
    }

    /// A request that was answered without a job: one that was refused, or a built-in that is logged.
    func answered(_ title: String, peer: Peer, result: String) {
        guard isOn else { return }
        begin("[cmd] -")
        add(peer)
        add(" ")
        add(title)
        end()
        begin("[res] - ")
        add(result)
        end()
    }

    private func add(_ peer: Peer) { add(" pid=\(peer.pid) uid=\(peer.uid) gid=\(peer.gid)") }

    private func add(_ text: String) { line.append(contentsOf: text.utf8) }

    private func begin(_ kind: StaticString) {
        line.removeAll(keepingCapacity: true)
        let now = time(nil)
        if now != stampSecond {
            stampSecond = now
            // What kept it from being opened may be over.
            if file == nil { try? open() }
            stamp = Array("[\(Self.format(now))] ".utf8)
        }
        line.append(contentsOf: stamp)
        kind.withUTF8Buffer { line.append(contentsOf: $0) }
    }

    private func end() {
        line.append(UInt8(ascii: "\n"))
        if lostLines > 0,
            write(Array("[\(Self.format(stampSecond))] \(lostLines) lines were lost here\n".utf8))
        {
            lostLines = 0
        }
        if lostLines > 0 || !write(line) { lose() }
    }

    /// A line that a full disk cut is ended before the next one.
    private func write(_ bytes: [UInt8]) -> Bool {
        let text = isCut ? [UInt8(ascii: "\n")] + bytes : bytes
        guard let outcome = try? file?.write(text[...]), case .sent(let count) = outcome else { return false }
        if count > 0 { isCut = count < text.count }
        return count == text.count
    }

    private func lose() {
        if lostLines == 0 { complain("the log \(path ?? "") cannot be written: lines are being lost") }
        lostLines += 1
    }

    /// `2026-11-22 12:00:00 UTC`
    static func format(_ date: time_t) -> String {
        var date = date
        var parts = tm()
        gmtime_r(&date, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%d %H:%M:%S UTC", &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

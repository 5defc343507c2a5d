// The log file: each command before it runs, and its result, one line each.
import CEpollShim
import DokkuProtocol
import Glibc

/// Writes lines to `DOKKU_DAEMON_LOGFILE`. If the log cannot be written, lines are lost, but no request fails. Lost
/// lines are counted, and their number is logged as soon as possible.
final class AuditLog {
    private let path: String?
    private var file: Descriptor?
    private var lostLines = 0
    private var isCut = false
    private var line: [UInt8] = []
    private var stamp: [UInt8] = []
    private var stampSecond: time_t = -1
    private let complain: (String) -> Void

    /// `path` is nil if there is no log. `complain` is called when lines begin to be lost.
    init(path: String?, complain: @escaping (String) -> Void) {
        self.path = path
        self.complain = complain
        line.reserveCapacity(512)
        reopen()
    }

    /// Opens the file again, after it was moved away.
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
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY
        if let stream = Self.streams[path] {
            file = try Self.open(stream, path, flags)
        } else {
            file = try Descriptor.open(path, flags | O_NOFOLLOW, mode: 0o640)
        }
    }

    /// These are links to what the daemon's parent has opened: in a container, to the container's log.
    private static let streams = ["/dev/stdout": STDOUT_FILENO, "/dev/stderr": STDERR_FILENO]

    /// A file is shared with its position, because others write there as well. Anything else is opened anew, so that
    /// O_NONBLOCK holds for the daemon alone.
    private static func open(
        _ stream: Int32, _ path: String, _ flags: Int32
    ) throws(SystemError) -> Descriptor {
        let shared = Descriptor(owning: try retrying("fcntl") { fcntl(stream, F_DUPFD_CLOEXEC, 0) })
        if try shared.isRegularFile() { return shared }
        return try Descriptor.open(path, flags)
    }

    /// The most bytes of a reply's output that a line shows.
    private static let replyLimit = 4096
    /// How many bytes of an output the log can use.
    var excerptLimit: Int { isOn ? Self.replyLimit : 0 }

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
        if job.command.request.isDetached { add(" detached=yes") }
        add(" ")
        add(job.title)
        end()
    }

    func ended(_ job: Job) {
        guard isOn else { return }
        begin("[res] ")
        add("#\(job.number)")
        if let lead = job.lead { add(" run=#\(lead)") }
        switch job.status {
        case .exited(let status): add(" status=\(status)")
        case .signalled(let signal): add(" signal=\(signal)")
        case nil: break
        }
        if let failure = job.failure { add(" error=\(failure.reason.code.rawValue)") }
        add(" run_ms=\(job.runDuration.wholeMilliseconds) bytes=\(job.outputCount)")
        if job.showsExcerpt, !Redaction.isTrace(job.excerpt) { add(replyOf: job) }
        end()
    }

    private func add(replyOf job: Job) {
        var output = job.excerpt
        let isCut = job.outputCount > output.count
        if !isCut {
            for reason in job.failure?.reasons ?? [] {
                if !output.isEmpty, output.last != UInt8(ascii: "\n") { output.append(UInt8(ascii: "\n")) }
                output.append(contentsOf: reason.text.utf8)
            }
        }
        add(ok: job.isSuccess, output: output, isCut: isCut)
    }

    private func add(ok: Bool, output: some Collection<UInt8>, isCut: Bool = false) {
        add(" ")
        LoggedReply.append(ok: ok, output: output, isCut: isCut, limit: Self.replyLimit, to: &line)
    }

    /// A command whose end nobody saw, because the previous daemon ended.
    func interrupted(_ command: InterruptedCommand) {
        guard isOn else { return }
        begin("[res] ")
        add("#\(command.number) error=interrupted by the end of the daemon: \(command.title)")
        end()
    }

    /// A built-in that is logged, with its answer.
    func answered(_ title: String, peer: Peer, answer: String) {
        answered(title, peer: peer, error: nil, ok: true, output: answer)
    }

    /// A refused request. The words of an invalid command are not repeated, not even by its refusal.
    func refused(_ title: String, peer: Peer, _ refusal: Refusal) {
        let text = refusal.code == .invalidCommand ? Refusal.invalidCommand.text : refusal.text
        answered(title, peer: peer, error: refusal.code, ok: false, output: text)
    }

    private func answered(_ title: String, peer: Peer, error: ErrorCode?, ok: Bool, output: String) {
        guard isOn else { return }
        begin("[cmd] -")
        add(peer)
        add(" ")
        add(title)
        end()
        begin("[res] -")
        if let error { add(" error=\(error.rawValue)") }
        add(ok: ok, output: output.utf8)
        end()
    }

    private func add(_ peer: Peer) {
        add(" pid=\(peer.pid) uid=\(peer.uid) gid=\(peer.gid)")
        if let user = peer.rules.user { add(" name=\(user)") }
        if let cgroup = peer.cgroup { add(" cgroup=\(Redaction.describe(path: cgroup))") }
    }

    private func add(_ text: String) { line.append(contentsOf: text.utf8) }

    private func begin(_ kind: StaticString) {
        line.removeAll(keepingCapacity: true)
        let now = time(nil)
        if now != stampSecond {
            stampSecond = now
            // The reason why it could not be opened may be gone.
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

    /// If a full disk cut the line before, that line is ended first.
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

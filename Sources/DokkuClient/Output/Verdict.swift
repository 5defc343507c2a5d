// What an answer means for the client's own end: its exit status, and what it says.
import DokkuProtocol
import Glibc

struct Verdict: Equatable {
    enum End: Equatable {
        case exit(Int32)
        /// The client dies of it, so that a shell ends its loop after Ctrl-C.
        case signal(Int32)
    }

    var end: End
    /// For people; nil if the command has said all.
    var message: String?

    init(_ status: Int32, _ message: String? = nil) {
        end = .exit(status)
        self.message = message
    }

    init(diesOf signal: Int32, _ message: String? = nil) {
        end = .signal(signal)
        self.message = message
    }

    init(_ code: ExitCode, _ message: String?) { self.init(code.rawValue, message) }

    /// The command's own status counts whenever it ran.
    init(_ end: ReplyLine.End) {
        let text = String(decoding: end.output, as: UTF8.self)
        switch end.status {
        case .exited(0): self.init(end.isOK ? 0 : ExitCode.inputOutput.rawValue, Self.trouble(end))
        case .exited(let status): self.init(status & 0xFF, Self.trouble(end))
        case .signalled(let name):
            self.init(128 + Self.number(of: name), Self.trouble(end) ?? "ended by \(name)")
        case nil where end.isOK: self.init(0)
        case nil:
            let message = text.isEmpty ? Self.trouble(end) ?? "it failed" : text
            self.init(
                Self.code(end.error),
                [message, Self.step(end, text)].compactMap { $0 }.joined(separator: "; "))
        }
    }

    /// What went wrong although the command ran.
    private static func trouble(_ end: ReplyLine.End) -> String? {
        let cut = end.isOutputCut ? "; some of its output is missing" : ""
        switch end.error.map({ (ErrorCode(rawValue: $0), $0) }) {
        case nil: return end.isOutputCut ? "some of its output is missing" : nil
        case (.outputTruncated, _)?:
            return "some of its output is missing, because the daemon had no room for it"
        case (.timeout, _)?: return "ended because it reached its time limit" + cut
        case (.cancelled, _)?: return "cancelled" + cut
        case (.shuttingDown, _)?: return "ended because the daemon is stopping" + cut
        case (.inputFailed, _)?: return "ended because its input could not be passed on" + cut
        case (.aborted, _)?:
            return "killed right after its start, because the daemon could not watch it" + cut
        case (.interrupted, _)?:
            return "the daemon ended while it ran: it may have run wholly or in part" + cut
        case (_, let word)?: return word + cut
        }
    }

    /// What a person can do about a request that did not run; nil if the daemon's text says all.
    private static func step(_ end: ReplyLine.End, _ text: String) -> String? {
        switch end.error.flatMap(ErrorCode.init) {
        case .denied: "use another socket (-S), or dokku on the host"
        case .queueFull: "try again later; daemon:queue shows what runs and waits"
        case .bufferFull, .tooManyConnections, .shuttingDown: "try again in a moment"
        case .requiresStdin: "give it with < FILE, or with a pipe"
        case .requiresForce: "name what it is to destroy"
        case .notSupported where text == Refusal.notImplemented.text:
            "this works only on the host, with dokku itself"
        case .lineTooLong: "put what is long into a file or an input"
        case .inputTooLong: "the daemon's settings DOKKU_DAEMON_MAX_INPUT and DOKKU_DAEMON_MAX_SPOOL limit it"
        case .spawnFailed, .storageFailed: "on the host, see journalctl -u dokku-daemon.service"
        case .misconfigured: "on the host, correct them, and systemctl restart dokku-daemon.service"
        case .aborted, .inputFailed: "see what it has done before you try again"
        case .interrupted: "it may have run wholly or in part: see what it has done before you try again"
        case .unknownJob: "daemon:jobs lists those that are kept"
        case .invalidRequest, .invalidCommand, .notSupported, .timeout, .cancelled, .outputTruncated, nil: nil
        }
    }

    /// For a name that dokku does not have. `names` are those that there are, if that is known.
    init(unknown name: String, among names: [String]) {
        if let meant = Suggestion.nearest(to: name, among: names) {
            self.init(.usage, "\(name) is no command; did you mean \(meant)?")
        } else {
            self.init(.usage, "\(name) is no command; `dokku-client commands` lists them")
        }
    }

    /// For a request that did not run, or of which that is not known.
    private static func code(_ error: String?) -> ExitCode {
        switch error.flatMap(ErrorCode.init) {
        case .denied: .denied
        case .queueFull, .bufferFull, .tooManyConnections, .shuttingDown: .tryAgain
        case .spawnFailed, .misconfigured, .interrupted, .aborted: .unavailable
        case .inputFailed, .outputTruncated, .storageFailed, .inputTooLong: .inputOutput
        case .cancelled, .timeout: .tryAgain
        case .invalidRequest, .invalidCommand, .requiresForce, .requiresStdin, .notSupported, .lineTooLong,
            .unknownJob, nil:
            .usage
        }
    }

    /// Of the signals that end a command, by the names of signal(7). Their numbers are the same on all processors of
    /// Debian's that dokku runs on.
    private static func number(of name: String) -> Int32 {
        let numbers: [String: Int32] = [
            "SIGHUP": SIGHUP, "SIGINT": SIGINT, "SIGQUIT": SIGQUIT, "SIGILL": SIGILL, "SIGTRAP": SIGTRAP,
            "SIGABRT": SIGABRT, "SIGBUS": SIGBUS, "SIGFPE": SIGFPE, "SIGKILL": SIGKILL, "SIGUSR1": SIGUSR1,
            "SIGSEGV": SIGSEGV, "SIGUSR2": SIGUSR2, "SIGPIPE": SIGPIPE, "SIGALRM": SIGALRM,
            "SIGTERM": SIGTERM,
            "SIGXCPU": SIGXCPU, "SIGXFSZ": SIGXFSZ, "SIGSYS": SIGSYS, "SIGVTALRM": SIGVTALRM,
            "SIGPROF": SIGPROF,
            "SIGIO": SIGIO, "SIGPOLL": SIGIO, "SIGPWR": SIGPWR, "SIGSTKFLT": SIGSTKFLT,
        ]
        // Real-time signals have no other name than their number.
        return numbers[name] ?? Int32(name.dropFirst(3)) ?? 0
    }
}

// One command from the command line to the client's end: asked for, asked for again if the daemon restarts, and judged.
import DokkuProtocol
import Glibc

final class Call {
    private let arguments: Arguments
    private let path: SocketPath
    private let viewer: Viewer

    init(_ arguments: Arguments, viewer: Viewer) {
        self.arguments = arguments
        path = SocketPath(named: arguments.socket)
        self.viewer = viewer
    }

    func run() -> Verdict {
        let signals: Signals
        let request: Request
        do throws(Unsendable) {
            request = try self.request()
        } catch {
            return Verdict(.usage, "the words of a command must be UTF-8")
        }
        do {
            signals = try Signals([SIGINT, SIGTERM, SIGQUIT, SIGWINCH])
        } catch {
            return Verdict(.unavailable, error.reason)
        }
        var isSecond = false
        while true {
            let session: Session
            do {
                session = try Session(
                    request, to: path.path, viewer: viewer, endsUnread: arguments.endsUnread)
            } catch {
                return isSecond
                    ? Verdict(.tryAgain, "the daemon was stopped before the command ran")
                    : path.verdict(on: error)
            }
            let ending = session.run(signals)
            if case .ended(let end, nil) = ending, isNotYetRun(end), !session.hasReadInput {
                if !isSecond, !arguments.isQuiet {
                    Message.say("the daemon is stopping; waiting for the next one")
                }
                isSecond = true
                continue
            }
            return verdict(on: ending, session)
        }
    }

    /// The daemon was stopped before the command began, so the next daemon may be asked.
    private func isNotYetRun(_ end: ReplyLine.End) -> Bool {
        end.status == nil && end.error == ErrorCode.shuttingDown.rawValue
    }

    private func request() throws(Unsendable) -> Request {
        let name = arguments.name ?? ""
        let givesInput = arguments.givesInput || CommandInput.isRead(by: name)
        // A detached job outlives the client's files.
        let handover =
            arguments.isDetached
            ? Handover(givesInput: givesInput) : Handover(name, givesInput: givesInput, to: path.path)
        return try Request(arguments, handover)
    }

    private func detached(_ job: UInt64) -> Verdict {
        Message.print(arguments.isJSON ? "{\"job\":\(job)}" : "\(job)")
        return Verdict(0)
    }

    private func verdict(on ending: RequestStage.Ending, _ session: Session) -> Verdict {
        switch ending {
        case .ended(let end, let signal):
            if let signal, end.error == ErrorCode.cancelled.rawValue { return Verdict(diesOf: signal) }
            if arguments.isDetached, end.isOK, let job = end.job { return detached(job) }
            if let failure = session.outputFailure, end.isOK {
                return Verdict(.inputOutput, "the output could not be written: \(failure.reason)")
            }
            return Verdict(end)
        case .lost(nil):
            return Verdict(
                .unavailable, "the daemon has ended the connection without an answer: outcome unknown")
        case .lost(let job?):
            return Verdict(
                .unavailable,
                "the daemon has ended the connection while job \(job) waited or ran: outcome unknown")
        case .left(let signal, nil): return Verdict(diesOf: signal)
        case .left(let signal, let job?): return Verdict(diesOf: signal, "job \(job) is being ended")
        case .readerHasLeft: return Verdict(diesOf: SIGPIPE)
        case .inputFailed(let failure):
            return Verdict(
                .inputOutput,
                "standard input could not be read, so the command did not run: \(failure.reason)")
        case .strange:
            return Verdict(.unavailable, "what answers at \(path.path) is not dokku-daemon: outcome unknown")
        }
    }
}

// One command from the command line to the client's end: asked for, asked for again if the daemon restarts, and judged.
import DokkuProtocol
import Glibc

final class Call {
    private let arguments: Arguments
    private let path: SocketPath
    private var presentation: Presentation
    private var isConfirmed = false
    /// Until when the next daemon is waited for, if one has gone while the command waited.
    private var moved: Deadline?
    private var hasMoved: Bool { moved != nil }
    /// A daemon that made its socket itself takes it along, and may let a command end for ten minutes before the next
    /// daemon starts.
    private static let patience: Int32 = 660_000

    init(_ arguments: Arguments, _ presentation: Presentation) {
        self.arguments = arguments
        path = SocketPath(named: arguments.socket)
        self.presentation = presentation
    }

    private var viewer: Viewer { presentation.viewer }

    /// What becomes of the request after an answer.
    private enum Next {
        case done(Verdict)
        /// It is asked again, after so many milliseconds.
        case again(after: Int32)
    }

    func run() -> Verdict {
        let signals: Signals
        do {
            signals = try Signals([SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP, SIGWINCH])
        } catch {
            return Verdict(.unavailable, error.reason)
        }
        let handover = handover(interruption: signals.descriptor)
        while true {
            switch ask(handover, signals) {
            case .done(let verdict):
                viewer.clear()
                return verdict
            case .again(let pause):
                if pause > 0, let signal = Pause.wait(pause, viewer, signals) {
                    viewer.clear()
                    return Verdict(diesOf: signal)
                }
            }
        }
    }

    private func ask(_ handover: Handover, _ signals: borrowing Signals) -> Next {
        let call: Request
        do throws(Unsendable) {
            let words = isConfirmed ? arguments.words(with: "--force") : presentation.words
            call = try Request(words, arguments, handover)
        } catch {
            return .done(Verdict(.usage, "the words of a command must be UTF-8"))
        }
        let session: Session
        do {
            session = try Session(
                call, to: path.path, viewer: viewer, endsUnread: arguments.endsUnread, signals)
        } catch {
            switch error {
            case .interrupted(let signal): return .done(Verdict(diesOf: signal))
            case .failed(let failure):
                if let pause = viewer.interrupted(failure.reason) { return .again(after: pause) }
                if let moved, moved.left > 0, failure.isAbsence { return .again(after: 100) }
                return .done(hasMoved ? movedVerdict : path.verdict(on: failure))
            }
        }
        return next(after: session.run(signals), session, signals)
    }

    private func next(after ending: RequestStage.Ending, _ session: Session, _ signals: borrowing Signals)
        -> Next
    {
        switch ending {
        case .ended(let end, nil):
            if isOutdated(end) {
                presentation = .plain(arguments)
                return .again(after: 0)
            }
            if end.isTemporary, let pause = viewer.interrupted(trouble(end)) {
                return .again(after: pause)
            }
            if isNotYetRun(end), !session.hasReadInput, !session.hasToldEvents {
                viewer.clear()
                if !hasMoved, !arguments.isQuiet {
                    Message.say("the daemon is stopping; waiting for the next one")
                }
                // A daemon that still takes connections refuses the next one likewise.
                defer { moved = Deadline(milliseconds: Self.patience) }
                return .again(after: hasMoved ? 100 : 0)
            }
            if end.status == nil, end.error == ErrorCode.requiresForce.rawValue, !isConfirmed,
                let question = Confirmation(arguments)
            {
                viewer.clear()
                return confirmed(question, signals)
            }
        case .lost:
            if let pause = viewer.interrupted("the daemon has ended the connection") {
                return .again(after: pause)
            }
        default: break
        }
        return .done(verdict(on: ending, session))
    }

    private func trouble(_ end: ReplyLine.End) -> String {
        end.error == ErrorCode.shuttingDown.rawValue
            ? "the daemon has stopped" : String(decoding: end.output, as: UTF8.self)
    }

    /// The daemon is older than the words that were added for the viewer.
    private func isOutdated(_ end: ReplyLine.End) -> Bool {
        presentation.hasPlainForm && end.status == nil && end.error == ErrorCode.invalidRequest.rawValue
    }

    private func confirmed(_ question: Confirmation, _ signals: borrowing Signals) -> Next {
        switch question.ask(signals) {
        case .yes:
            isConfirmed = true
            return .again(after: 0)
        case .no: return .done(Verdict(1, "that is not \(question.name), so nothing was destroyed"))
        case .missing:
            return .done(
                Verdict(
                    1,
                    "standard input ended without \(question.name), so nothing was destroyed; --force does it without asking"
                ))
        case .interrupted(let signal): return .done(Verdict(diesOf: signal))
        }
    }

    /// No daemon has followed the one that was stopped.
    private var movedVerdict: Verdict {
        let isOwn = arguments.name.map(OwnCommands.names.contains) ?? false
        return Verdict(
            .tryAgain,
            isOwn
                ? "the daemon was stopped, and none has followed; ask again later"
                : "the daemon was stopped before the command ran")
    }

    /// The daemon was stopped before the command began, so the next daemon may be asked.
    private func isNotYetRun(_ end: ReplyLine.End) -> Bool {
        end.status == nil && end.error == ErrorCode.shuttingDown.rawValue
    }

    /// The daemon's own commands write into no file: what they tell may have to be made fit for people first.
    private func handover(interruption: Int32) -> Handover {
        let name = arguments.name ?? ""
        let givesInput = arguments.givesInput || CommandInput.isRead(by: name)
        // A detached job outlives the client's files.
        return arguments.isDetached || OwnCommands.names.contains(name)
            ? Handover(givesInput: givesInput)
            : Handover(
                name, givesInput: givesInput, to: path.path, interruption: interruption)
    }

    private func detached(_ job: UInt64) -> Verdict {
        if Message.print(arguments.isJSON ? "{\"job\":\(job)}" : "\(job)") { return Verdict(0) }
        return Verdict(.inputOutput, "the command is job \(job), but standard output could not be written")
    }

    /// All names of commands, if the daemon tells them at once.
    private var names: [String] {
        let text = Inquiry.answer(to: ["commands"], at: path.path, milliseconds: 1000) ?? []
        return text.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
            + OwnCommands.names
    }

    private func verdict(on ending: RequestStage.Ending, _ session: Session) -> Verdict {
        switch ending {
        case .ended(let end, let signal):
            if let signal, end.error == ErrorCode.cancelled.rawValue || session.isOutputMissing {
                return Verdict(diesOf: signal)
            }
            if arguments.isDetached, end.isOK, let job = end.job { return detached(job) }
            if let failure = session.outputFailure, end.isOK {
                return Verdict(.inputOutput, "the output could not be written: \(failure.reason)")
            }
            if end.status == nil, end.error == ErrorCode.invalidCommand.rawValue, let name = arguments.name {
                return Verdict(unknown: name, among: names)
            }
            return Verdict(end)
        case .lost(nil):
            return Verdict(
                .unavailable, "the daemon has ended the connection without an answer: outcome unknown")
        case .lost(let job?):
            return Verdict(
                .unavailable,
                "the daemon has ended the connection while job \(job) waited or ran: outcome unknown")
        case .left(let signal, nil) where arguments.isDetached:
            return Verdict(diesOf: signal, "whether the job was accepted is unknown; daemon:jobs tells")
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

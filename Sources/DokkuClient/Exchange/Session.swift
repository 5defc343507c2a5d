// One request on one connection, from its line to the last line of the answer, and whatever else happens meanwhile: input,
// output, signals, and the time that a person waits.
import DokkuProtocol
import Glibc

final class Session {
    private let request: Request
    private let path: String
    private let connection: Connection
    private let viewer: Viewer
    /// Whether it ends when nobody reads standard output any more, even if nothing is written.
    private let endsUnread: Bool
    private var asides: [Aside] = []
    private let lookout: Lookout
    private var output = OwnOutput()
    private var stage = RequestStage.asked
    /// Why output could not be written, the first time.
    private(set) var outputFailure: SystemFailure?
    /// Whether bytes of the client's input were taken, so that it cannot be sent again.
    private(set) var hasReadInput = false
    /// Whether output was dropped, or not written, because a person did not want to wait for its reader.
    private(set) var isOutputMissing = false
    /// Whether events of `daemon:events` have come, so that another answer would begin anew.
    private(set) var hasToldEvents = false

    init(
        _ request: Request, to path: String, viewer: Viewer, endsUnread: Bool, _ signals: borrowing Signals
    ) throws(Connection.Unconnected) {
        self.request = request
        self.endsUnread = endsUnread
        self.path = path
        self.viewer = viewer
        lookout = Lookout(path)
        connection = try Connection(to: path, signals)
    }

    func run(_ signals: borrowing Signals) -> RequestStage.Ending {
        let ending = work(signals)
        request.handover.terminal?.restore()
        return ending
    }

    private func work(_ signals: borrowing Signals) -> RequestStage.Ending {
        do throws(SystemFailure) {
            try connection.send(request.line, handingOver: request.handover.descriptors)
        } catch {
            // The daemon may have said why before it closed the connection.
            if !error.isHangup { return .lost(job: nil) }
        }
        while true {
            if case .over(let ending) = stage, isDone(ending) {
                if !output.isEmpty { isOutputMissing = true }
                return ending
            }
            var poll = interests(signals)
            poll.wait(milliseconds: output.isEmpty ? viewer.nextLook : nil)
            if output.isEmpty { output.append(viewer.look(), to: .standardOutput) }
            while let signal = signals.next() { received(signal) }
            if endsUnread, poll.hasEnded(Standard.output) { return .readerHasLeft }
            do throws(OwnOutput.Trouble) {
                try output.write(after: poll)
            } catch {
                switch error {
                case .readerHasLeft: return .readerHasLeft
                case .failed(let failure): outputFailure = outputFailure ?? failure
                }
            }
            if stage.isOver { continue }
            exchange(after: poll)
            if viewer.wantsQueue { lookout.ask() }
            if let queue = lookout.answer(after: poll) { viewer.sees(queue: queue) }
            takeAnswers(after: poll)
        }
    }

    /// Who has pressed Ctrl-C does not wait for a reader that has stopped.
    private func isDone(_ ending: RequestStage.Ending) -> Bool {
        switch ending {
        case .left: true
        case .ended(_, _?): output.isEmpty || !output.canWrite
        case .ended(_, nil), .lost, .inputFailed, .strange, .readerHasLeft: output.isEmpty
        }
    }

    private func interests(_ signals: borrowing Signals) -> Poll {
        var poll = Poll()
        poll.wantsRead(signals.descriptor)
        output.addInterest(to: &poll)
        if endsUnread { poll.wantsEnd(Standard.output) }
        if stage.isOver { return poll }
        if !output.isFull || stage.isCancelling { poll.wantsRead(connection.descriptor) }
        if connection.hasUnsent {
            poll.wantsWrite(connection.descriptor)
        } else if stage.isFeeding {
            poll.wantsRead(Standard.input)
        }
        for aside in asides { poll.wantsRead(aside.descriptor) }
        if let descriptor = lookout.descriptor { poll.wantsRead(descriptor) }
        return poll
    }

    // MARK: - The connection

    private func exchange(after poll: Poll) {
        do throws(SystemFailure) {
            if stage.isFeeding, !connection.hasUnsent, poll.canRead(Standard.input) { feed() }
            try connection.flush()
        } catch {
            if !error.isHangup { return stage.end(.lost(job: stage.job)) }
            connection.dropUnsent()
            stage.inputHasEnded()
        }
        guard poll.canRead(connection.descriptor), !stage.isOver else { return }
        do throws(SystemFailure) {
            let received = try connection.receive()
            takeLines()
            if received == .end, !stage.isOver { stage.end(.lost(job: stage.job)) }
        } catch {
            if !error.wouldBlock { stage.end(.lost(job: stage.job)) }
        }
    }

    private func takeLines() {
        while !stage.isOver, let line = connection.nextLine() {
            do throws(ReplyLine.Failure) {
                take(try ReplyLine(line, encoding: { _ in self.request.encoding }), line)
            } catch {
                stage.end(.strange)
            }
        }
    }

    private func take(_ line: ReplyLine, _ bytes: ArraySlice<UInt8>) {
        switch line.content {
        case .inputWanted: stage.inputIsWanted()
        case .queued(let event):
            stage.isAccepted(event.job)
            viewer.queued(event)
        case .started(let job):
            stage.isAccepted(job)
            viewer.started(job)
        case .output(let stream, let bytes): show(bytes, stream)
        case .happening(let event):
            hasToldEvents = true
            output.append(viewer.shown(event, bytes), to: .standardOutput)
        case .unknown: break
        case .end(let last):
            // A request that was refused has a text there, which the verdict tells.
            if last.isOK || last.status != nil { show(last.output, .standardOutput) }
            if let errors = last.errors { show(errors, .standardError) }
            if last.status != nil { output.append(viewer.ended(), to: .standardOutput) }
            stage.answered(last)
        }
    }

    private func show(_ bytes: [UInt8], _ stream: OutputStream) {
        viewer.clear()
        // Nobody may read it any more, and the client is about to leave.
        if stage.isCancelling && output.isFull {
            isOutputMissing = true
            return
        }
        output.append(viewer.shown(bytes, stream), to: stream)
    }

    /// Sends the next piece of the client's input, or its end.
    private func feed() {
        do throws(SystemFailure) {
            let bytes = try Transfer.read(Standard.input, 1 << 16)
            hasReadInput = true
            var chunk: [UInt8] = []
            InputChunk.append(bytes.span, to: &chunk)
            if bytes.isEmpty {
                InputChunk.appendEnd(to: &chunk)
                stage.inputHasEnded()
            }
            connection.enqueue(chunk)
        } catch {
            // The daemon has not seen the end of the input, so the command does not run.
            if !error.wouldBlock { stage.end(.inputFailed(error)) }
        }
    }

    // MARK: - Signals

    private func received(_ signal: Int32) {
        if signal == SIGWINCH { viewer.resized() }
        if let name = Self.passedOn[signal], request.handover.terminal != nil, let job = stage.job {
            // The signals of the terminal are meant for the program that a person talks to there.
            ask(.signal(name), job)
        } else if signal == SIGTSTP {
            // Who stops leaves the terminal to the shell, and the program would still read from it.
            if request.handover.terminal != nil { return }
            viewer.clear()
            Signals.stop()
            viewer.resized()
        } else if signal == SIGQUIT || signal == SIGHUP {
            stage.end(.left(signal: signal, job: stage.job))
        } else if signal != SIGWINCH, let job = stage.interrupted(by: signal) {
            if case .cancelling(_, let times, _) = stage { viewer.cancelling(job, time: times) }
            ask(.cancel, job)
        }
    }

    private static let passedOn: [Int32: String] = [SIGINT: "INT", SIGQUIT: "QUIT", SIGWINCH: "WINCH"]

    /// Asks on a connection of its own, because the answer to a request that waits comes in its turn.
    private func ask(_ purpose: Aside.Purpose, _ job: UInt64) {
        // Sizes of the window may come faster than their answers.
        if case .signal("WINCH") = purpose, asides.count > 4 { return }
        do throws(SystemFailure) {
            asides.append(try Aside(purpose, of: job, to: path))
        } catch {
            refused(purpose, "job \(job) cannot be told: \(error.reason)")
        }
    }

    private func takeAnswers(after poll: Poll) {
        asides.removeAll { aside in
            switch aside.stage(after: poll) {
            case .waiting: return false
            case .over: break
            case .refused(let text): refused(aside.purpose, text)
            }
            return true
        }
    }

    private func refused(_ purpose: Aside.Purpose, _ text: String) {
        switch purpose {
        // Not every socket lets its clients cancel. A client that leaves ends the command as well.
        case .cancel: stage.cancelIsRefused()
        // The program's screen is no place to say that a new size of the window cannot be told.
        case .signal("WINCH"): break
        case .signal:
            viewer.clear()
            Message.say(text)
        }
    }
}

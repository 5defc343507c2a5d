// One request on one connection, from its line to the last line of the answer, and whatever else happens meanwhile: input,
// output, signals, and the time that a person waits.
import CClientShim
import DokkuProtocol
import Glibc

final class Session {
    enum Ending {
        /// `wasCancelled` if Ctrl-C came before.
        case ended(ReplyLine.End, wasCancelled: Bool)
        /// The connection ended before the answer. A job has a number once it is accepted.
        case lost(job: UInt64?)
        /// A person pressed Ctrl-C before there was a job, or for the third time.
        case left(signal: Int32, job: UInt64?)
        /// Nobody reads the output any more.
        case readerHasLeft
        /// The client's own input could not be read.
        case inputFailed(SystemFailure)
        /// What came is no answer of the daemon's.
        case strange
    }

    /// What an event does to it:
    ///
    /// | state | `continue` | `queued`, `started` | SIGINT, SIGTERM | the last line |
    /// |---|---|---|---|---|
    /// | `asked` | `feeding` | `accepted` | `over`, left | `over` |
    /// | `feeding` | | `accepted` | `over`, left | `over` |
    /// | `accepted` | | | `cancelling` 1, and a cancel | `over` |
    /// | `cancelling` 1 | | | `cancelling` 2, and a cancel, which kills | `over` |
    /// | `cancelling` 2 | | | `over`, left | `over` |
    ///
    /// The end of the connection is the end in every state.
    fileprivate enum State {
        case asked
        case feeding
        case accepted(job: UInt64)
        case cancelling(job: UInt64, times: Int)
        case over(Ending)
    }

    private let call: Request
    private let path: String
    private let connection: Connection
    private let viewer: Viewer
    private var asides: [Aside] = []
    private var output = OwnOutput()
    private var state = State.asked
    /// What was the first thing that could not be written, if any.
    private(set) var outputFailure: SystemFailure?
    /// Whether bytes of the client's input were taken, so that it cannot be sent again.
    private(set) var hasReadInput = false

    init(_ call: Request, to path: String, viewer: Viewer) throws(SystemFailure) {
        self.call = call
        self.path = path
        self.viewer = viewer
        connection = try Connection(to: path)
    }

    func run(_ signals: borrowing Signals) -> Ending {
        do throws(SystemFailure) {
            try connection.send(call.line, handingOver: call.descriptors)
        } catch {
            if error.number != EPIPE && error.number != ECONNRESET { return .lost(job: nil) }
            // The daemon may have said why before it closed the connection.
        }
        while true {
            if case .over(let ending) = state, output.isEmpty { return finish(ending) }
            var poll = interests(signals)
            poll.wait(milliseconds: output.isEmpty ? viewer.nextLook : nil)
            if output.isEmpty { output.append(viewer.look(), to: .standardOutput) }
            while let signal = signals.next() { received(signal) }
            if case .over(.left(let signal, let job)) = state {
                return finish(.left(signal: signal, job: job))
            }
            do throws(OwnOutput.Trouble) {
                try output.write(after: poll)
            } catch {
                switch error {
                case .readerHasLeft: return finish(.readerHasLeft)
                case .failed(let failure): outputFailure = outputFailure ?? failure
                }
            }
            if state.isOver { continue }
            exchange(after: poll)
            asides.removeAll { $0.hasEnded(after: poll) }
        }
    }

    private func finish(_ ending: Ending) -> Ending {
        viewer.clear()
        return ending
    }

    private func interests(_ signals: borrowing Signals) -> Poll {
        var poll = Poll()
        poll.wantsRead(signals.descriptor)
        output.addInterest(to: &poll)
        if state.isOver { return poll }
        if !output.isFull { poll.wantsRead(connection.descriptor) }
        if connection.hasUnsent {
            poll.wantsWrite(connection.descriptor)
        } else if case .feeding = state {
            poll.wantsRead(Standard.input)
        }
        for aside in asides { poll.wantsRead(aside.descriptor) }
        return poll
    }

    // MARK: - The connection

    private func exchange(after poll: Poll) {
        do throws(SystemFailure) {
            if case .feeding = state, !connection.hasUnsent, poll.canRead(Standard.input) { feed() }
            try connection.flush()
        } catch {
            // What the daemon has sent before the end can still be read.
            if error.number != EPIPE && error.number != ECONNRESET { return end(.lost(job: state.job)) }
        }
        guard poll.canRead(connection.descriptor) else { return }
        do throws(SystemFailure) {
            switch try connection.receive() {
            case .something: takeLines()
            case .end: end(.lost(job: state.job))
            }
        } catch {
            if !error.wouldBlock { end(.lost(job: state.job)) }
        }
    }

    private func takeLines() {
        while !state.isOver, let line = connection.nextLine() {
            do throws(ReplyLine.Failure) {
                try take(ReplyLine(line, encoding: { _ in self.call.encoding }), line)
            } catch {
                end(.strange)
            }
        }
    }

    private func take(_ line: ReplyLine, _ raw: ArraySlice<UInt8>) {
        switch line.content {
        case .inputWanted: if case .asked = state { state = .feeding }
        case .queued(let event):
            accepted(event.job)
            viewer.queued(event)
        case .started(let job):
            accepted(job)
            viewer.started(job)
        case .output(let stream, let bytes):
            viewer.clear()
            output.append(viewer.shown(bytes, stream), to: stream)
        case .happening(let event): output.append(viewer.shown(event, raw), to: .standardOutput)
        case .unknown: break
        case .end(let last):
            if !last.output.isEmpty, last.isOK || last.status != nil {
                output.append(viewer.shown(last.output, .standardOutput), to: .standardOutput)
            }
            if let errors = last.errors { output.append(errors, to: .standardError) }
            if last.status != nil { output.append(viewer.ended(), to: .standardOutput) }
            end(.ended(last, wasCancelled: state.isCancelling))
        }
    }

    private func accepted(_ job: UInt64) {
        switch state {
        case .asked, .feeding: state = .accepted(job: job)
        case .accepted, .cancelling, .over: break
        }
    }

    private func end(_ ending: Ending) { state = .over(ending) }

    /// Sends the next piece of the client's input, or its end.
    private func feed() {
        do throws(SystemFailure) {
            let bytes = try Transfer.read(Standard.input, 1 << 16)
            hasReadInput = true
            var chunk: [UInt8] = []
            InputChunk.append(bytes.span, to: &chunk)
            if bytes.isEmpty {
                InputChunk.appendEnd(to: &chunk)
                state = .asked
            }
            connection.enqueue(chunk)
        } catch {
            // The daemon has not seen the end of the input, so the command does not run.
            if !error.wouldBlock { end(.inputFailed(error)) }
        }
    }

    // MARK: - Signals

    private func received(_ signal: Int32) {
        if case .over = state { return end(.left(signal: signal, job: nil)) }
        if signal == SIGWINCH {
            viewer.resized()
            if call.sharesTerminal, let job = state.job { ask("daemon:signal", job, "WINCH") }
            return
        }
        if call.sharesTerminal, signal != SIGTERM, let job = state.job {
            return ask("daemon:signal", job, signal == SIGINT ? "INT" : "QUIT")
        }
        if signal == SIGQUIT { return end(.left(signal: signal, job: state.job)) }
        switch state {
        case .asked, .feeding: end(.left(signal: signal, job: nil))
        case .accepted(let job): cancel(job, time: 1)
        case .cancelling(let job, 1): cancel(job, time: 2)
        case .cancelling(let job, _): end(.left(signal: signal, job: job))
        case .over: break
        }
    }

    private func cancel(_ job: UInt64, time: Int) {
        state = .cancelling(job: job, times: time)
        viewer.cancelling(job, time: time)
        ask("daemon:cancel", job)
    }

    /// Asks on a connection of its own, because the answer to a request that waits comes in its turn.
    private func ask(_ name: String, _ job: UInt64, _ argument: String? = nil) {
        do throws(SystemFailure) {
            asides.append(try Aside([name, String(job)] + (argument.map { [$0] } ?? []), to: path))
        } catch {
            Message.say("\(name) \(job): \(error.reason)")
        }
    }
}

extension Session.State {
    fileprivate var isOver: Bool {
        if case .over = self { true } else { false }
    }

    fileprivate var isCancelling: Bool {
        if case .cancelling = self { true } else { false }
    }

    fileprivate var job: UInt64? {
        switch self {
        case .accepted(let job), .cancelling(let job, _): job
        case .asked, .feeding, .over: nil
        }
    }
}

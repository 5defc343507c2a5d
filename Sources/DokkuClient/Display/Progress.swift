// One line on standard error that is rewritten each second while a command waits, or runs without a word. It is gone before
// anything else is written there.
import DokkuProtocol

final class Progress: Viewer {
    /// A command that starts or answers sooner gets no line.
    private static let patience: Int64 = 500
    /// So long a command is silent before it is said that it runs.
    private static let silence: Int64 = 5000

    private enum State {
        case idle
        case waiting(WaitText, since: Int64)
        case running(since: Int64)
        case ending(UInt64, time: Int, since: Int64)
    }

    private let screen: Screen
    /// Whether output comes to that terminal.
    private let showsOutput: [OutputStream]
    /// What the command is called.
    private let name: String
    private var state = State.idle
    private var isDrawn = false
    /// Whether the output stands in the middle of a line, which is left alone.
    private var isInLine = false
    private var nextDraw: Int64?
    /// Endless commands have no place in the queue, and are silent for long.
    private var hasQueued = false

    /// `name` is the command as it may be shown.
    init(_ name: String, on screen: Screen) {
        self.name = Printable.text(name)
        self.screen = screen
        showsOutput = [OutputStream.standardOutput, .standardError].filter { stream in
            Standard.kind(stream == .standardOutput ? Standard.output : Standard.error) == .terminal
        }
    }

    /// For `daemon:wait`: what is said is about another job.
    func follow(_ job: UInt64) {
        change(.waiting(WaitText(job: job), since: Clock.now), drawAfter: Self.patience)
    }

    func queued(_ event: QueuedEvent) {
        hasQueued = true
        change(
            .waiting(WaitText(job: event.job, event: event), since: Clock.now), drawAfter: Self.patience)
    }

    func started(_ job: UInt64) {
        if isEnding { return }
        clear()
        if hasQueued { change(.running(since: Clock.now), drawAfter: Self.silence) }
    }

    func cancelling(_ job: UInt64, time: Int) {
        if isInLine { screen.write("\n") }
        isInLine = false
        change(.ending(job, time: time, since: Clock.now), drawAfter: 0)
        _ = look()
    }

    func shown(_ bytes: [UInt8], _ stream: OutputStream) -> [UInt8] {
        if let last = bytes.last, showsOutput.contains(where: { $0 == stream }) {
            isInLine = last != UInt8(ascii: "\n")
        }
        if nextDraw != nil { nextDraw = Clock.now + (isEnding ? Self.patience : Self.silence) }
        return bytes
    }

    var wantsQueue: Bool {
        if case .waiting(_, let since) = state { Clock.now - since > Self.patience / 2 } else { false }
    }

    func sees(queue: [UInt8]) {
        guard case .waiting(var text, let since) = state, let reports = JobReport.all(in: queue) else {
            return
        }
        text.queue = reports
        state = .waiting(text, since: since)
        if isDrawn { draw() }
    }

    func resized() { if isDrawn { draw() } }

    var nextLook: Int32? {
        guard let nextDraw else { return nil }
        // Half of the patience is when the queue is asked for.
        let ask: Int64 = if case .waiting = state, !isDrawn { Self.patience / 2 + 1 } else { .max }
        return Int32(clamping: max(0, min(nextDraw - Clock.now, ask)))
    }

    func look() -> [UInt8] {
        guard let due = nextDraw, Clock.now >= due else { return [] }
        nextDraw = Clock.now + 1000
        draw()
        return []
    }

    func clear() {
        guard isDrawn else { return }
        isDrawn = false
        screen.write("\r\u{1B}[K")
    }

    private var isEnding: Bool {
        if case .ending = state { true } else { false }
    }

    private func change(_ state: State, drawAfter pause: Int64) {
        self.state = state
        nextDraw = Clock.now + pause
    }

    private func draw() {
        guard !isInLine, let text else { return }
        isDrawn = true
        // The last column stays free, because some terminals go to the next line there.
        screen.write("\r\(Printable.cut(text, to: max(1, screen.columns - 1)))\u{1B}[K")
    }

    private var text: String? {
        switch state {
        case .idle: nil
        case .waiting(let text, let since): text.text(after: seconds(since), date: Clock.date)
        case .running(let since): "\(name) runs, \(Spell.duration(seconds(since)))"
        case .ending(let job, 1, _): "ending job \(job); Ctrl-C again kills it"
        case .ending(let job, _, _): "killing job \(job); Ctrl-C again leaves it alone"
        }
    }

    private func seconds(_ since: Int64) -> Int64 { (Clock.now - since) / 1000 }
}

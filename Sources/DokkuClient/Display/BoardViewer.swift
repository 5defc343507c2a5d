// Shows `daemon:events` as a live board on a terminal's second screen, which leaves what was on the first as it was.
import DokkuProtocol

final class BoardViewer: Viewer {
    /// Many events within this time are drawn once.
    private static let pause: Int64 = 100

    private let screen: Screen
    private var board = Board()
    /// Whether the daemon has told something.
    private var isOpen = false
    /// Whether the terminal shows its second screen.
    private var isShown = false
    private var nextDraw: Int64 = 0

    init(on screen: Screen) { self.screen = screen }

    func shown(_ event: HappeningEvent, _ line: ArraySlice<UInt8>) -> [UInt8] {
        board.take(event, now: Clock.date)
        soon()
        return []
    }

    func interrupted(_ text: String) -> Int32? {
        // A daemon that has never answered is an error like any other.
        guard isOpen else { return nil }
        board.lose("\(text); looking for the daemon", now: Clock.date)
        soon()
        return EventList.pause
    }

    var wantsQueue: Bool { board.isUncertain }

    func sees(queue: [UInt8]) {
        if let reports = JobReport.all(in: queue) { board.take(queue: reports) }
        soon()
    }

    func resized() { nextDraw = 0 }

    var nextLook: Int32? { isOpen ? Int32(clamping: max(0, nextDraw - Clock.now)) : nil }

    func look() -> [UInt8] {
        guard isOpen, Clock.now >= nextDraw else { return [] }
        nextDraw = Clock.now + 1000
        let lines = board.lines(
            columns: max(1, screen.columns - 1), rows: screen.rows, now: Clock.date,
            hasColours: screen.hasColours)
        let screen = isShown ? "" : "\u{1B}[?1049h\u{1B}[?25l"
        isShown = true
        let text = lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        return Array("\(screen)\u{1B}[H\(text)\u{1B}[J".utf8)
    }

    func clear() {
        guard isShown else { return }
        isShown = false
        screen.write("\u{1B}[?25h\u{1B}[?1049l", patience: 1000)
        nextDraw = 0
    }

    private func soon() {
        isOpen = true
        nextDraw = min(nextDraw, Clock.now + Self.pause)
    }
}

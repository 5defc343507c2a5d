// What happens, for readers that each go at their own pace. An event is kept once for all of them, until each has it.
// If one is too far behind, it loses the oldest; nobody else notices.
import DokkuProtocol

protocol BoardReader: AnyObject {
    /// The number of the event that it reads next.
    var position: Int { get }
    /// An event has come, or the board is closed.
    func boardDidChange()
}

final class Board {
    /// Bytes of events that are kept for those who are behind.
    static let limit = 1024 * 1024

    /// Each is the inside of a JSON object.
    private var events: [[UInt8]] = []
    private var size = 0
    private var readers: [any BoardReader] = []
    /// The number of the first event that is kept. They are counted from 0.
    private(set) var first = 0
    /// Nothing more will come.
    private(set) var isClosed = false

    /// The number of the next event that comes.
    var end: Int { first + events.count }

    // MARK: Writing

    /// Adds an event. `write` gives the members of its object; without a reader it is not called.
    func post(_ write: (inout JSONWriter) -> Void) {
        if readers.isEmpty || isClosed { return }
        var json = JSONWriter()
        write(&json)
        events.append(json.bytes)
        size += json.bytes.count
        while size > Self.limit { forget(1) }
        tellReaders()
    }

    /// Readers get what is still there, and then their end.
    func close() {
        if isClosed { return }
        isClosed = true
        tellReaders()
    }

    private func tellReaders() {
        for reader in readers { reader.boardDidChange() }
        forgetRead()
    }

    // MARK: Reading

    /// Begin with `end` as the position.
    func enter(_ reader: any BoardReader) { readers.append(reader) }

    func leave(_ reader: any BoardReader) {
        readers.removeAll { $0 === reader }
        forgetRead()
    }

    /// The event with a number from `first` on; nil at the end.
    func event(_ number: Int) -> [UInt8]? { number < end ? events[number - first] : nil }

    /// Forgets what every reader has. Call it after one has read by itself.
    func forgetRead() {
        let read = readers.lazy.map(\.position).min() ?? end
        forget(min(read, end) - first)
    }

    private func forget(_ count: Int) {
        guard count > 0 else { return }
        for event in events.prefix(count) { size -= event.count }
        events.removeFirst(count)
        first += count
    }
}

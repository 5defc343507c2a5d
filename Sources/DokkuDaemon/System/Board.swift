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

    private struct Event {
        /// Whom it is about; nil if it is for all.
        let owner: ListenerRules.Owner?
        /// The inside of a JSON object.
        let bytes: [UInt8]

        func isSeen(by viewer: ListenerRules.Owner) -> Bool { owner.map(viewer.sees) ?? true }
    }

    private var events: [Event] = []
    /// How many are not kept any more, by whom they were about.
    private var forgotten: [ListenerRules.Owner?: Int] = [:]
    private var size = 0
    private var readers: [any BoardReader] = []
    /// The number of the first event that is kept. They are counted from 0.
    private(set) var first = 0
    /// Nothing more will come.
    private(set) var isClosed = false

    /// The number of the next event that comes.
    var end: Int { first + events.count }

    // MARK: Writing

    /// Adds an event about what `owner` has, or for all. `write` gives the members of its object; without a reader it is
    /// not called.
    func post(about owner: ListenerRules.Owner? = nil, _ write: (inout JSONWriter) -> Void) {
        if readers.isEmpty || isClosed { return }
        var json = JSONWriter()
        write(&json)
        events.append(Event(owner: owner, bytes: json.bytes))
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

    /// The event with a number from `first` on; nil at the end, and if it is not for the viewer.
    func event(_ number: Int, for viewer: ListenerRules.Owner) -> [UInt8]? {
        guard number < end else { return nil }
        let event = events[number - first]
        return event.isSeen(by: viewer) ? event.bytes : nil
    }

    /// How many of all events before number `end`, which is `first` or later, the viewer may see.
    func count(before end: Int, for viewer: ListenerRules.Owner) -> Int {
        let gone = forgotten.reduce(0) { sum, entry in
            sum + (entry.key.map(viewer.sees) ?? true ? entry.value : 0)
        }
        return gone + events.prefix(end - first).count { $0.isSeen(by: viewer) }
    }

    /// Forgets what every reader has. Call it after one has read by itself.
    func forgetRead() {
        let read = readers.lazy.map(\.position).min() ?? end
        forget(min(read, end) - first)
    }

    private func forget(_ count: Int) {
        guard count > 0 else { return }
        for event in events.prefix(count) {
            size -= event.bytes.count
            forgotten[event.owner, default: 0] += 1
        }
        events.removeFirst(count)
        first += count
    }
}

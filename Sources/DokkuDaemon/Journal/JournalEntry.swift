// One entry in the form that the system's journal reads from its socket: named fields, each value limited in
// length.

struct JournalEntry {
    /// Severities, syslog(3).
    enum Priority: Int { case warning = 4, notice = 5, information = 6 }

    /// The kind of event, to search by (systemd.journal-fields(7), MESSAGE_ID).
    enum Event: String {
        case accepted = "adf02fe666984866939e3818554a2e5e"
        case ended = "41175c6d2cd048b2a0d08beb7669f7de"
        case interrupted = "9ff822310fb74898abae7f397d94b144"
        case lost = "f9b59c96070c45d1a60bf1ddc27f6cb3"
    }

    /// The longest value, in bytes. It keeps an entry small enough to be sent as one datagram.
    static let valueLimit = 4096

    /// The datagram.
    private(set) var bytes: [UInt8] = []

    /// Empties the entry and adds the fields that every entry has.
    mutating func begin(_ event: Event, _ priority: Priority, message: String) {
        bytes.removeAll(keepingCapacity: true)
        add("SYSLOG_IDENTIFIER", "dokku-daemon")
        add("MESSAGE_ID", event.rawValue)
        add("PRIORITY", "\(priority.rawValue)")
        add("MESSAGE", message)
    }

    /// A value with a line feed is preceded by its length, eight bytes in little endian. Any other value is a line.
    mutating func add(_ name: StaticString, _ value: String) {
        let value = value.utf8.prefix(Self.valueLimit)
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        if value.contains(UInt8(ascii: "\n")) {
            bytes.append(UInt8(ascii: "\n"))
            withUnsafeBytes(of: UInt64(value.count).littleEndian) { bytes.append(contentsOf: $0) }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes.append(contentsOf: value)
        bytes.append(UInt8(ascii: "\n"))
    }
}

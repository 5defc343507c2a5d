// One entry as the system's journal reads it from its socket: named fields, and no more of a value than fits.

struct JournalEntry {
    /// How much attention it wants, syslog(3).
    enum Priority: Int { case warning = 4, notice = 5, information = 6 }

    /// What sort of event it is, for whoever looks for all of one sort (systemd.journal-fields(7), MESSAGE_ID).
    enum Event: String {
        case accepted = "adf02fe666984866939e3818554a2e5e"
        case ended = "41175c6d2cd048b2a0d08beb7669f7de"
        case interrupted = "9ff822310fb74898abae7f397d94b144"
        case lost = "f9b59c96070c45d1a60bf1ddc27f6cb3"
    }

    /// Longest value, in bytes: an entry stays a datagram that goes at once.
    static let valueLimit = 4096

    /// The datagram.
    private(set) var bytes: [UInt8] = []

    /// Empties the entry and begins with what each one has.
    mutating func begin(_ event: Event, _ priority: Priority, message: String) {
        bytes.removeAll(keepingCapacity: true)
        add("SYSLOG_IDENTIFIER", "dokku-daemon")
        add("MESSAGE_ID", event.rawValue)
        add("PRIORITY", "\(priority.rawValue)")
        add("MESSAGE", message)
    }

    /// A value that holds a line feed goes with its length, eight bytes in little endian; any other is a line.
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

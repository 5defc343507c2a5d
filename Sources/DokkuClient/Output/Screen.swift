// What one of the client's descriptors is to a person, and how it may be written to.
import CClientShim
import Glibc

struct Screen: Equatable {
    let descriptor: Int32
    /// Whether lines can be rewritten there.
    let isAlive: Bool
    /// Whether it may have colours.
    let hasColours: Bool

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        let name = getenv("TERM").map { String(cString: $0) } ?? ""
        isAlive = Standard.kind(descriptor) == .terminal && !name.isEmpty && name != "dumb"
        // https://no-color.org: set, and not empty.
        hasColours = isAlive && (getenv("NO_COLOR").map { $0.pointee == 0 } ?? true)
    }

    var columns: Int { positive(client_columns(descriptor)) ?? 80 }
    var rows: Int { positive(client_rows(descriptor)) ?? 24 }

    private func positive(_ count: Int32) -> Int? { count > 0 ? Int(count) : nil }

    /// Writes at once, past what waits for the same terminal elsewhere. Does nothing if the terminal takes nothing for so
    /// many milliseconds.
    func write(_ text: String, patience: Int32 = 0) {
        var poll = Poll()
        poll.wantsWrite(descriptor)
        poll.wait(milliseconds: patience)
        guard poll.canWrite(descriptor) else { return }
        _ = try? Transfer.write(Array(text.utf8)[...], to: descriptor)
    }
}

/// The colours that dokku gives to the lines of logs.
enum Colour: Int {
    case red = 31
    case green = 32
    case yellow = 33
    case cyan = 36

    func paint(_ text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }
}

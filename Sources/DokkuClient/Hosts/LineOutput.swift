// Lines from several machines, on their way to the client's own standard output and standard error.
import Glibc

/// One queue for both: a line is written to its end before another begins, also where both are the same terminal.
struct LineOutput {
    private var lines: [(bytes: [UInt8], target: Int32)] = []
    private var first = 0
    /// Of the first line.
    private var written = 0
    private var waiting = 0
    /// The first thing that could not be written, if any.
    private(set) var failure: SystemFailure?

    var isEmpty: Bool { first == lines.count }
    /// Whether so much waits that no more should be read.
    var isFull: Bool { waiting > 1 << 18 }

    mutating func append(_ line: [UInt8], to target: Int32) {
        lines.append((line, target))
        waiting += line.count
    }

    func addInterest(to poll: inout Poll) {
        if !isEmpty { poll.wantsWrite(lines[first].target) }
    }

    /// Writes what can be written without waiting. False if nobody reads standard output any more.
    mutating func write(after poll: Poll) -> Bool {
        guard !isEmpty, poll.canWrite(lines[first].target) else { return true }
        let (bytes, target) = lines[first]
        do throws(SystemFailure) {
            // A pipe or a terminal that is ready takes so much without blocking (PIPE_BUF, pipe(7)).
            let step = Standard.kind(target) == .file ? bytes.count : 4096
            written += try Transfer.write(bytes[written..<min(written + step, bytes.count)], to: target)
        } catch {
            if error.wouldBlock { return true }
            if error.number == EPIPE, target == Standard.output { return false }
            failure = failure ?? error
            written = bytes.count
        }
        if written == bytes.count { next() }
        return true
    }

    private mutating func next() {
        waiting -= lines[first].bytes.count
        lines[first].bytes = []
        first += 1
        written = 0
        if first == lines.count {
            lines.removeAll()
            first = 0
        } else if first > 1024 {
            lines.removeSubrange(..<first)
            first = 0
        }
    }
}

// A connection to the daemon: bytes that wait to be sent, and lines that have come.
import CClientShim
import DokkuProtocol
import Glibc

final class Connection {
    enum Received {
        /// Perhaps lines, which `nextLine` gives.
        case something
        case end
    }

    let descriptor: Int32
    /// What `send` could not hand to the kernel yet.
    private var unsent: [UInt8] = []
    private var sent = 0
    private var framer = LineFramer(maximumLength: .max)

    /// Waits while the daemon's backlog is full, for so many milliseconds if they are given.
    init(to path: String, patience: Int32? = nil) throws(SystemFailure) {
        // To the kernel, no time is for ever.
        descriptor = client_connect(path, patience.map { max($0, 1) } ?? 0)
        if descriptor < 0 { throw .last }
    }

    /// Waits while the daemon's backlog is full, but for signals as well.
    convenience init(to path: String, _ signals: borrowing Signals) throws(Unconnected) {
        while true {
            do throws(SystemFailure) {
                try self.init(to: path, patience: 200)
                return
            } catch {
                if !error.wouldBlock { throw .failed(error) }
            }
            while let signal = signals.next() {
                if signal == SIGTSTP {
                    Signals.stop()
                } else if signal != SIGWINCH {
                    throw .interrupted(signal)
                }
            }
        }
    }

    /// Why there is no connection.
    enum Unconnected: Error {
        case failed(SystemFailure)
        case interrupted(Int32)
    }

    deinit { close(descriptor) }

    /// The other side takes no more.
    func dropUnsent() {
        unsent = []
        sent = 0
    }

    var hasUnsent: Bool { sent < unsent.count }

    /// Sends the line with its newline. The three descriptors go with its first byte.
    func send(_ line: [UInt8], handingOver descriptors: [Int32] = []) throws(SystemFailure) {
        if descriptors.isEmpty {
            enqueue(line)
            return try flush()
        }
        // The socket is empty, so the kernel takes at least the first byte.
        let count = try Transfer.send(line, with: descriptors, to: descriptor)
        enqueue(Array(line[count...]))
        try flush()
    }

    func enqueue(_ bytes: [UInt8]) {
        if sent == unsent.count {
            unsent = bytes
            sent = 0
        } else {
            unsent += bytes
        }
    }

    /// Hands over what the kernel takes without waiting.
    func flush() throws(SystemFailure) {
        while hasUnsent {
            do throws(SystemFailure) {
                sent += try Transfer.send(unsent[sent...], to: descriptor)
            } catch {
                if error.wouldBlock { return }
                throw error
            }
        }
    }

    /// Takes what has come. Call it when there is something, or the end.
    func receive() throws(SystemFailure) -> Received {
        let bytes = try Transfer.receive(descriptor, 1 << 18)
        framer.append(bytes.span)
        return bytes.isEmpty ? .end : .something
    }

    func nextLine() -> ArraySlice<UInt8>? {
        switch framer.next() {
        case .line(let line): line
        case .skipped, nil: nil
        }
    }
}

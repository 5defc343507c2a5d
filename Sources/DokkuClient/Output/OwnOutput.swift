// What the command writes, on its way to the client's own standard output and standard error.
import DokkuProtocol
import Glibc

/// Keeps what the reader does not take yet, so that a reader that stops never keeps the client from noticing Ctrl-C.
struct OwnOutput {
    enum Trouble: Equatable {
        /// Nobody reads it any more. Who writes to such a pipe usually dies of SIGPIPE.
        case readerHasLeft
        /// The disk is full, for example. What cannot be written is gone, and the command goes on as it would if it wrote itself.
        case failed(SystemFailure)
    }

    private var streams = [
        Stream(descriptor: Standard.output), Stream(descriptor: Standard.error),
    ]

    /// Whether so much waits that the client reads no more of its connection.
    var isFull: Bool { streams.contains { $0.waiting > 1 << 18 } }
    var isEmpty: Bool { streams.allSatisfy { $0.waiting == 0 } }

    mutating func append(_ bytes: [UInt8], to stream: OutputStream) {
        streams[stream == .standardOutput ? 0 : 1].append(bytes)
    }

    func addInterest(to poll: inout Poll) {
        for stream in streams where stream.waiting > 0 { poll.wantsWrite(stream.descriptor) }
    }

    /// Whether somebody takes what waits, at this moment.
    var canWrite: Bool {
        var poll = Poll()
        addInterest(to: &poll)
        poll.wait(milliseconds: 0)
        return streams.contains { $0.waiting > 0 && poll.canWrite($0.descriptor) }
    }

    /// Writes what can be written without waiting.
    mutating func write(after poll: Poll) throws(Trouble) {
        for index in streams.indices where streams[index].waiting > 0 {
            if poll.canWrite(streams[index].descriptor) { try streams[index].write() }
        }
    }
}

extension OwnOutput.Trouble: Error {}

private struct Stream {
    let descriptor: Int32
    private let kind: Standard.Kind
    private var bytes: [UInt8] = []
    private var written = 0

    init(descriptor: Int32) {
        kind = Standard.kind(descriptor)
        self.descriptor = kind == .terminal ? Standard.reopened(descriptor) ?? descriptor : descriptor
    }

    var waiting: Int { bytes.count - written }

    mutating func append(_ more: [UInt8]) {
        if waiting == 0 {
            bytes = more
            written = 0
        } else {
            // What is written goes first: a reader that is slow may never take all that waits.
            bytes.removeFirst(written)
            written = 0
            bytes += more
        }
    }

    /// A pipe that is ready takes so much without blocking (PIPE_BUF, pipe(7)). It is not set to O_NONBLOCK, because others
    /// use it, too. A terminal would block until all is written; it is opened anew.
    private var step: Int { kind == .file ? waiting : min(waiting, 4096) }

    mutating func write() throws(OwnOutput.Trouble) {
        do throws(SystemFailure) {
            written += try Transfer.write(bytes[written..<written + step], to: descriptor)
        } catch {
            if error.wouldBlock { return }
            written = bytes.count
            throw error.number == EPIPE ? .readerHasLeft : .failed(error)
        }
    }
}

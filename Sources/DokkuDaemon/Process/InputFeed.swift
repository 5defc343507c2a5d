// Feeds the standard input of a command through a pipe, as fast as the command reads it.
import CEpollShim
import Glibc

/// Where the input comes from.
enum InputSource {
    case spool(Spool)
    case file(OpenFile)
    /// Read from where its client has left off.
    case passed(PassedFile)
    case reader(any InputReader)
}

/// An input that is read part by part.
protocol InputReader: AnyObject {
    /// The next bytes; none at the end.
    func next() throws(SystemError) -> [UInt8]
}

/// Writes an input to a child's pipe. It is no error if the child does not read or has exited.
final class InputFeed: EventHandler {
    private let source: InputSource
    /// The number of bytes taken from a file.
    private var offset = 0
    /// What was read, and the pipe has not taken yet.
    private var rest: ArraySlice<UInt8> = []
    private var watch: Watch
    private let didFail: (SystemError) -> Void

    /// `didFail` is called once if the input cannot be read back or passed on. The pipe then stays open until
    /// `close`, because its end would tell the child that the input was complete.
    init(
        _ source: InputSource, writing end: consuming Descriptor, loop: EventLoop,
        didFail: @escaping (SystemError) -> Void
    ) {
        self.source = source
        self.didFail = didFail
        watch = Watch(end, in: loop)
        watch.start(for: self)
    }

    func didBecomeReady(_ readiness: Readiness) {
        do throws(SystemError) {
            let isOver = try watch.withDescriptor { target throws(SystemError) in
                // The loop reports a failed registration in the same way, but then the child still reads.
                if readiness.contains(.failed), Self.hasNoReader(target) { return true }
                return try feed(target)
            }
            // The end of the pipe is the end of the input.
            if isOver ?? false { close() }
        } catch {
            if error.number == EPIPE { close() } else { fail(error) }
        }
    }

    /// A pipe without a reader reports POLLERR, poll(2).
    private static func hasNoReader(_ target: borrowing Descriptor) -> Bool {
        var query = pollfd(fd: target.number, events: 0, revents: 0)
        return poll(&query, 1, 0) == 1 && query.revents & Int16(POLLERR) != 0
    }

    func settle() -> Interest? { .write }

    /// Passes on a part. True at the end of the input.
    private func feed(_ target: borrowing Descriptor) throws(SystemError) -> Bool {
        switch source {
        case .spool(let spool):
            _ = try spool.drain(to: target, limit: ReadBuffer.size)
            return spool.count == 0
        case .file(let file):
            let part = try file.descriptor.readPart(ReadBuffer.size / 2, at: offset)
            if part.isEmpty { return true }
            if case .sent(let count) = try target.write(part[...]) { offset += count }
            return false
        case .passed(let file):
            return try pass(on: try file.read(ReadBuffer.size / 2), target)
        case .reader(let reader):
            return try pass(on: try reader.next(), target)
        }
    }

    /// Writes what was read before, or what is read next. True if there is none of either.
    private func pass(
        on next: @autoclosure () throws(SystemError) -> [UInt8], _ target: borrowing Descriptor
    ) throws(SystemError) -> Bool {
        if rest.isEmpty { rest = try next()[...] }
        if rest.isEmpty { return true }
        if case .sent(let count) = try target.write(rest) { rest = rest.dropFirst(count) }
        return false
    }

    private func fail(_ error: SystemError) {
        watch.stop()
        didFail(error)
    }

    /// Ends the input, even if not all of it was read.
    func close() { watch.close() }
}

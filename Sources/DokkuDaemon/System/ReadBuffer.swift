// The one buffer for all reads. Callers copy what they keep, so that an idle connection holds no memory.
import CEpollShim
import Glibc

/// Memory for reads, shared by everything in the loop. Its content is valid only while `body` runs.
final class ReadBuffer {
    /// Large enough to empty an enlarged pipe in few calls, and small enough to keep a turn of the loop short.
    static let size = 128 * 1024

    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)

    deinit { memory.deallocate() }

    /// Reads once, at most `limit` bytes, and passes them to `body`. If `refusingFiles` is set and files come with
    /// a socket's bytes, the bytes stay in the socket, and the error is EPERM.
    func read(
        _ descriptor: borrowing Descriptor, limit: Int = ReadBuffer.size, refusingFiles: Bool = false,
        _ body: (Span<UInt8>) -> Void
    ) throws(SystemError) -> ReadOutcome {
        let size = min(limit, memory.count)
        let count = try descriptor.attempt("read") { number in
            refusingFiles
                ? shim_read_unless_files(number, memory.baseAddress, size)
                : Glibc.read(number, memory.baseAddress, size)
        }
        guard let count else { return .wouldBlock }
        return deliver(count, body)
    }

    /// Reads once from a socket, and passes on the files that come with the bytes, three at most. False if more came, or
    /// if not all could be taken: then the socket must not be read any more, because everything is still in it.
    func read(
        _ socket: borrowing Descriptor, limit: Int, _ body: (Span<UInt8>) -> Void,
        taking take: (consuming Descriptor) -> Void
    ) throws(SystemError) -> (ReadOutcome, hasAll: Bool) {
        let size = min(limit, memory.count)
        var files = shim_files()
        defer {
            let numbers = [files.numbers.0, files.numbers.1, files.numbers.2]
            for number in numbers.prefix(Int(files.count)) { take(Descriptor(owning: number)) }
        }
        let count = try socket.attempt("read") { shim_read_with_files($0, memory.baseAddress, size, &files) }
        return (count.map { deliver($0, body) } ?? .wouldBlock, files.has_more == 0)
    }

    private func deliver(_ count: Int, _ body: (Span<UInt8>) -> Void) -> ReadOutcome {
        if count == 0 { return .end }
        let received = UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
        body(received.withMemoryRebound(to: UInt8.self) { UnsafeBufferPointer($0) }.span)
        return .received(count)
    }
}

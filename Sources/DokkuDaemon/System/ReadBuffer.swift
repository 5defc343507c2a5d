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
        if count == 0 { return .end }
        let received = UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
        body(received.withMemoryRebound(to: UInt8.self) { UnsafeBufferPointer($0) }.span)
        return .received(count)
    }
}

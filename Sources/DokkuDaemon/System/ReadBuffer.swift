// The one buffer that everything is read into: what stays of a read is copied by who needs it, so that an
// idle connection holds no memory.
import CEpollShim
import Glibc

/// Memory for reads, shared by all that the loop reads; valid only while `body` runs.
final class ReadBuffer {
    /// Enough to empty a grown pipe in few calls, and little enough to keep a turn of the loop short.
    static let size = 128 * 1024

    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)

    deinit { memory.deallocate() }

    /// Reads a descriptor once, at most `limit` bytes, and shows them to `body`. `refusingFiles`: a socket's bytes with
    /// which files come stay where they are, and the error is EPERM.
    func read(
        _ number: Int32, limit: Int = ReadBuffer.size, refusingFiles: Bool = false,
        _ body: (Span<UInt8>) -> Void
    ) throws(SystemError) -> ReadOutcome {
        let count: Int
        do throws(SystemError) {
            count = try retrying("read") {
                let size = min(limit, memory.count)
                return refusingFiles
                    ? shim_read_unless_files(number, memory.baseAddress, size)
                    : Glibc.read(number, memory.baseAddress, size)
            }
        } catch {
            if error.wouldBlock { return .wouldBlock }
            throw error
        }
        if count == 0 { return .end }
        let received = UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
        body(received.withMemoryRebound(to: UInt8.self) { UnsafeBufferPointer($0) }.span)
        return .received(count)
    }
}

// A file of bytes that wait for a reader. It has no name, and is gone with its owner.
import CEpollShim
import Glibc

/// Written to its end and read from anywhere, and let go of as a whole.
///
/// sendfile(2) hands out the file's pages themselves, and nobody knows when their last reader is done. So what was
/// sent is never written over, and no part is given back before the rest: punching a hole clears what of a page's folio it
/// meets, also in the reader's hands, while pages whose file goes stay as they are.
final class SpoolFile {
    private let descriptor: Descriptor
    private let place: Reservation
    /// Bytes written.
    private(set) var end: Int64 = 0

    /// Fails with EMFILE if whoever it is for has as many files as they may.
    init(for account: SpoolAccount) throws(SystemError) {
        let operation: StaticString = "open a spool file in the state folder"
        guard let place = account.reserveFile() else {
            throw SystemError(call: operation, number: EMFILE)
        }
        self.place = place
        let folder = account.store.folder
        descriptor = Descriptor(owning: try retrying(operation) { shim_open_unlinked(folder) })
    }

    /// Writes everything, or fails and is as before.
    func append(_ bytes: ArraySlice<UInt8>) throws(SystemError) {
        let start = Int(end)
        var sent = 0
        while sent < bytes.count {
            sent += try descriptor.call("pwrite") { number in
                bytes.withUnsafeBytes {
                    pwrite(number, $0.baseAddress.map { $0 + sent }, $0.count - sent, start + sent)
                }
            }
        }
        end += Int64(sent)
    }

    /// What stands from a position on.
    func read(from position: Int64) throws(SystemError) -> [UInt8] {
        let count = Int(end - position)
        let bytes = try descriptor.readPart(count, at: Int(position))
        // The file is shorter than what was written to it, or a read was: who asks has another way.
        guard bytes.count == count else { throw SystemError(call: "read", number: EIO) }
        return bytes
    }

    /// Sends what stands at a position to a socket or a pipe, at most `limit` bytes.
    func send(
        from position: Int64, to target: borrowing Descriptor, limit: Int
    ) throws(SystemError) -> WriteOutcome {
        let source = descriptor.number
        let count = min(limit, Int(end - position))
        let sent = try target.attempt("sendfile") { shim_send_file($0, source, position, count) }
        // The file is shorter than what was written to it: nothing would ever come.
        if sent == 0, count > 0 { throw SystemError(call: "sendfile", number: EIO) }
        return sent.map(WriteOutcome.sent) ?? .wouldBlock
    }
}

// A file of bytes that wait for a reader. It has no name, and disappears with its owner.
import CEpollShim
import Glibc

/// Written at its end, read at any position, and freed only as a whole.
///
/// sendfile(2) passes on the file's own pages, and nobody knows when their last reader is done. So sent bytes are
/// never overwritten, and no part is freed before the rest: punching a hole clears the part of a page's folio that
/// it covers, even in the reader's hands. The pages of a deleted file stay as they are.
final class SpoolFile {
    private let descriptor: Descriptor
    private let place: Reservation
    /// Bytes written.
    private(set) var end: Int64 = 0

    /// Fails with EMFILE if the account's limit of files is reached.
    init(for account: SpoolAccount) throws(SystemError) {
        let operation: StaticString = "open a spool file in the state folder"
        guard let place = account.reserveFile() else {
            throw SystemError(call: operation, number: EMFILE)
        }
        self.place = place
        let folder = account.store.folder
        descriptor = Descriptor(owning: try retrying(operation) { shim_open_unlinked(folder) })
    }

    /// Writes everything, or fails and changes nothing.
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

    /// The bytes from a position on, at most `limit` of them.
    func read(from position: Int64, limit: Int = .max) throws(SystemError) -> [UInt8] {
        let count = min(limit, Int(end - position))
        let bytes = try descriptor.readPart(count, at: Int(position))
        // The file is shorter than what was written, or the read was cut. Callers have another way.
        guard bytes.count == count else { throw SystemError(call: "read", number: EIO) }
        return bytes
    }

    /// Sends the bytes from a position on to a socket or a pipe, at most `limit` of them.
    func send(
        from position: Int64, to target: borrowing Descriptor, limit: Int
    ) throws(SystemError) -> WriteOutcome {
        let source = descriptor.number
        let count = min(limit, Int(end - position))
        let sent = try target.attempt("sendfile") { shim_send_file($0, source, position, count) }
        // The file is shorter than what was written, so the rest would never come.
        if sent == 0, count > 0 { throw SystemError(call: "sendfile", number: EIO) }
        return sent.map(WriteOutcome.sent) ?? .wouldBlock
    }
}

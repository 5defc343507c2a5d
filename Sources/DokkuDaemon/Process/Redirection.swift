// The files of redirected commands.
import CEpollShim
import DokkuProtocol
import Glibc

extension Redirection {
    /// Opens the file for reading or for writing, without changing its content. Only regular files are opened, and
    /// it never waits.
    func open() throws(Refusal) -> OpenFile {
        let name = Redaction.sanitize(Redaction.masked(path), limit: 1024)
        do throws(SystemError) {
            if let file = try openRegular() { return file }
        } catch {
            throw Refusal(code: .invalidRequest, text: "\(name): \(error.reason)")
        }
        throw Refusal(code: .invalidRequest, text: "\(name): Not a regular file")
    }

    /// Checks the file before it opens it: opening a device may start it, and opening a FIFO wakes its other end.
    /// The file that was checked is the one that is opened, even if the path leads to another one meanwhile
    /// (open(2), O_PATH).
    private func openRegular() throws(SystemError) -> OpenFile? {
        let flags = (direction == .input ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_NOCTTY
        let found: Descriptor
        do throws(SystemError) {
            found = try Descriptor.open(path, shim_path_only)
        } catch {
            guard direction == .output, error.number == ENOENT else { throw error }
            let file = try Descriptor.open(path, flags | O_CREAT, mode: 0o600)
            return try file.isRegularFile() ? OpenFile(file) : nil
        }
        guard try found.isRegularFile() else { return nil }
        return OpenFile(try Descriptor.open("/proc/self/fd/\(found.number)", flags))
    }
}

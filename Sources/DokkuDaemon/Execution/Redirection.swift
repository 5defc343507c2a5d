// The files of redirected commands.
import CEpollShim
import Glibc

extension Redirection {
    /// Opens the file as of now: for reading, or for writing from its start. Regular files only, never waiting.
    func open() throws(Refusal) -> OpenFile {
        let name = Redaction.sanitize(path, limit: 1024)
        do throws(SystemError) {
            if let file = try openRegular() { return file }
        } catch {
            throw Refusal(code: .invalidRequest, text: "\(name): \(error.reason)")
        }
        throw Refusal(code: .invalidRequest, text: "\(name): Not a regular file")
    }

    private func openRegular() throws(SystemError) -> OpenFile? {
        let flags = direction == .input ? O_RDONLY : O_WRONLY | O_CREAT
        let file = try Descriptor.open(path, flags | O_NONBLOCK | O_NOCTTY, mode: 0o600)
        guard try file.isRegularFile() else { return nil }
        let number = file.number
        if direction == .output { _ = try retrying("ftruncate") { ftruncate(number, 0) } }
        return OpenFile(file)
    }
}

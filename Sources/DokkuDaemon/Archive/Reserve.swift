// Room on the disk that is kept for forgetting.
//
// What is forgotten is first written to the log, and the log has to be moved into the file before it can be used again:
// both need room. Without a reserve, a disk that kept jobs have filled would stay full for ever.
import CEpollShim
import Glibc

/// A file without content beside the database. On a full disk it is emptied, and filled again when there is room.
final class Reserve {
    /// The log is moved at four MiB; see `Eraser` for a step.
    static let size = 8 << 20

    private let path: String
    private var isWhole = false

    init(in folder: String) { path = "\(folder)/jobs.reserve" }

    /// False if the disk has no room for it.
    func fill() -> Bool {
        if isWhole { return true }
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK
        guard let file = try? Descriptor.open(path, flags, mode: 0o600) else { return false }
        isWhole = posix_fallocate(file.number, 0, off_t(Self.size)) == 0
        // A part of it would be of no use, and others may need it.
        if !isWhole { _ = ftruncate(file.number, 0) }
        return isWhole
    }

    /// Gives its room to the disk. False if it had none.
    func spend() -> Bool {
        guard isWhole else { return false }
        isWhole = false
        return truncate(path, 0) == 0
    }
}

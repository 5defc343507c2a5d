// Detects changes of a file or a folder.
import Glibc

/// Changes when the file is replaced or written, or when the folder gets or loses an entry.
struct FileStamp: Equatable, CustomStringConvertible {
    private var device: dev_t = 0
    private var inode: ino_t = 0
    private var seconds = 0
    private var nanoseconds = 0
    private var size = 0

    /// The stamp of what is at the path; all zero if nothing is.
    init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        device = status.st_dev
        inode = status.st_ino
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
        size = Int(status.st_size)
    }

    var description: String { "\(device):\(inode):\(seconds).\(nanoseconds):\(size)" }
}

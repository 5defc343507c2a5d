// The file of a socket that the daemon has bound.
import Glibc

struct SocketFile {
    let path: String
    private let device: dev_t
    private let inode: ino_t

    init(path: String) throws(SystemError) {
        var status = stat()
        _ = try retrying("lstat") { lstat(path, &status) }
        self.path = path
        device = status.st_dev
        inode = status.st_ino
    }

    /// Removes the file, unless another one has taken its place.
    func unlink() {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode else { return }
        Glibc.unlink(path)
    }
}

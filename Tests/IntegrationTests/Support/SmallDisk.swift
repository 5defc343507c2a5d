// A disk that a test can fill: a tmpfs in the place of a folder. Only root may mount one.
import Foundation
import TestSupport

final class SmallDisk {
    private let folder: String

    /// Whether this process may mount one.
    static let isAvailable: Bool = {
        guard let folder = try? Folder() else { return false }
        return (try? SmallDisk(folder.path, size: 1 << 20)) != nil
    }()

    init(_ folder: String, size: Int) throws {
        self.folder = folder
        _ = try PipedProgram.run([
            "/usr/bin/mount", "-t", "tmpfs", "-o", "size=\(size),mode=700", "tmpfs", folder,
        ])
    }

    deinit { _ = try? PipedProgram.run(["/usr/bin/umount", "-l", folder]) }

    /// Leaves so many bytes free.
    func fill(leaving free: Int) throws {
        var room = statvfs()
        try checked("statvfs", statvfs(folder, &room))
        let file = try checked(
            "open", open("\(folder)/filler", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
        defer { close(file) }
        let error = posix_fallocate(file, 0, off_t(Int(room.f_bavail) * Int(room.f_frsize) - free))
        errno = error
        try checked("posix_fallocate", -error)
    }
}

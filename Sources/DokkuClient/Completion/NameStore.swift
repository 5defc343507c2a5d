// Names on disk, for the next Tab: a file for each kind and socket. Each is replaced whole, so shells that write at the same
// time do not mix.
import Glibc

struct NameStore {
    private let folder: String?
    private let socket: String

    init(for path: String) {
        let base = Environment.value("XDG_CACHE_HOME") ?? Environment.value("HOME").map { $0 + "/.cache" }
        folder = base.flatMap { $0.hasPrefix("/") ? $0 : nil }.map { base in
            mkdir(base, 0o700)
            mkdir(base + "/dokku-client", 0o700)
            return base + "/dokku-client"
        }
        // FNV-1a: any path becomes the name of a file.
        let hash = path.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        socket = String(hash, radix: 16)
    }

    /// What was kept, and for how many seconds.
    func names(_ kind: String) -> (names: [String], age: Int)? {
        guard let folder else { return nil }
        let descriptor = open("\(folder)/\(kind)-\(socket)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var file = stat()
        guard fstat(descriptor, &file) == 0, let bytes = try? Transfer.read(descriptor, 1 << 20) else {
            return nil
        }
        let names = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        let age = time(nil) - file.st_mtim.tv_sec
        // If the clock was set back, nobody knows how old it is.
        return (names, age < 0 ? .max : age)
    }

    /// Keeps them as if they were so many seconds old. If that fails, the next Tab asks again.
    func keep(_ names: [String], _ kind: String, age: Int) {
        guard let folder else { return }
        let file = "\(folder)/\(kind)-\(socket)"
        let new = "\(file).\(getpid())"
        let descriptor = open(new, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            // Somebody with this number was killed here.
            unlink(new)
            return
        }
        defer { close(descriptor) }
        let bytes = Array(names.joined(separator: "\n").utf8)
        let date = timespec(tv_sec: time(nil) - age, tv_nsec: 0)
        guard (try? Transfer.write(bytes[...], to: descriptor)) == bytes.count,
            futimens(descriptor, [date, date]) == 0, rename(new, file) == 0
        else {
            unlink(new)
            return
        }
    }
}

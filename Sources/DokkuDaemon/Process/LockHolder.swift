// Who has a lock that the daemon waits for, as far as the kernel tells: /proc/locks, proc_locks(5).
import CEpollShim
import Glibc

struct LockHolder: Equatable {
    /// Who took the lock; 0 where that cannot be seen from here, as for a process of another container.
    var pid: pid_t
    /// What the process is called; nil where it has ended and left the lock to what it started.
    var name: String?

    /// The one that has a flock(2) on an open file; nil where nobody has, or nobody can be found.
    static func of(_ file: borrowing Descriptor) -> LockHolder? {
        var status = stat()
        guard fstat(file.number, &status) == 0, let list = readAll("/proc/locks") else { return nil }
        return pid(in: list, device: status.st_dev, inode: status.st_ino).map {
            LockHolder(pid: $0, name: name(of: $0))
        }
    }

    /// A file system that numbers its files as of other devices, as btrfs does, is found by the file's number alone,
    /// where only one lock has it.
    static func pid(in list: [UInt8], device: dev_t, inode: ino_t) -> pid_t? {
        let major = (device >> 8) & 0xfff | (device >> 32) & ~0xfff
        let minor = device & 0xff | (device >> 12) & ~0xff
        var others: [pid_t] = []
        for line in String(decoding: list, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            // One that waits has an arrow before its kind.
            guard words.count >= 6, words[1] == "FLOCK", let pid = pid_t(words[4]) else { continue }
            let file = words[5].split(separator: ":")
            guard file.count == 3, ino_t(file[2]) == inode else { continue }
            if dev_t(file[0], radix: 16) == major, dev_t(file[1], radix: 16) == minor { return max(pid, 0) }
            others.append(max(pid, 0))
        }
        return others.count == 1 ? others[0] : nil
    }

    private static func name(of pid: pid_t) -> String? {
        guard pid > 0, let comm = readAll("/proc/\(pid)/comm") else { return nil }
        return Redaction.sanitize(comm.prefix { $0 != UInt8(ascii: "\n") }, limit: 64)
    }

    /// What /proc makes up at each read(2), a page at a time.
    private static func readAll(_ path: String) -> [UInt8]? {
        guard let file = try? Descriptor.open(path, O_RDONLY) else { return nil }
        var all: [UInt8] = []
        while all.count < 1 << 20, let part = try? file.readStart(16 * 1024), !part.isEmpty { all += part }
        return all
    }
}

extension LockHolder: CustomStringConvertible {
    var description: String {
        if pid == 0 { return "a process of another container" }
        return name.map { "process \(pid) (\($0))" } ?? "what process \(pid) started, which has ended"
    }
}

/// That the next command waits for the lock, since somebody else has it.
struct LockWait: Equatable, CustomStringConvertible {
    let path: String
    let since: time_t
    var holder: LockHolder?

    /// For people: which file, and who.
    var description: String { "the lock \(path), held by \(holder.map { "\($0)" } ?? "somebody else")" }
}

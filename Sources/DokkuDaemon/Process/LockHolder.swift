// Who holds a lock, or waits for it, as far as the kernel tells: /proc/locks, proc_locks(5).
import CEpollShim
import DokkuProtocol
import Glibc

struct LockHolder: Equatable {
    /// The process that took the lock; 0 if it cannot be seen from here, for example in another container.
    var pid: pid_t
    /// The name of the process; nil if it has ended and left the lock to its children.
    var name: String?

    /// The holder of the flock(2) on an open file; nil if there is none, or none can be found.
    static func of(_ file: borrowing Descriptor) -> LockHolder? {
        find(file.number, waits: false)
    }

    /// The first process that waits for the flock(2) on an open file.
    static func waiting(for file: Int32) -> LockHolder? { find(file, waits: true) }

    private static func find(_ file: Int32, waits: Bool) -> LockHolder? {
        var status = stat()
        guard fstat(file, &status) == 0, let list = readAll("/proc/locks") else { return nil }
        return pid(in: list, device: status.st_dev, inode: status.st_ino, waits: waits).map {
            LockHolder(pid: $0, name: name(of: $0))
        }
    }

    /// Some file systems, such as btrfs, number their files as of other devices. There the lock is found by the
    /// inode alone, if the locks of only one file have it.
    static func pid(in list: [UInt8], device: dev_t, inode: ino_t, waits: Bool = false) -> pid_t? {
        let major = (device >> 8) & 0xfff | (device >> 32) & ~0xfff
        let minor = device & 0xff | (device >> 12) & ~0xff
        var others: [(device: Substring, pid: pid_t)] = []
        // A host may have thousands of locks, so most lines are passed over as bytes.
        let end = Array(":\(inode)".utf8)[...]
        for bytes in list.split(separator: UInt8(ascii: "\n")) where holds(bytes, end) {
            let line = String(decoding: bytes, as: UTF8.self)
            var words = line.split(separator: " ")
            // A waiting lock has an arrow before its kind.
            if waits, words.count >= 7, words[1] == "->" { words.remove(at: 1) } else if waits { continue }
            guard words.count >= 6, words[1] == "FLOCK", let pid = pid_t(words[4]) else { continue }
            let file = words[5].split(separator: ":")
            guard file.count == 3, ino_t(file[2]) == inode else { continue }
            if dev_t(file[0], radix: 16) == major, dev_t(file[1], radix: 16) == minor { return max(pid, 0) }
            others.append((words[5], max(pid, 0)))
        }
        guard let first = others.first, others.allSatisfy({ $0.device == first.device }),
            waits || others.count == 1
        else { return nil }
        return first.pid
    }

    private static func holds(_ line: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        guard line.count >= text.count else { return false }
        return (line.startIndex...line.endIndex - text.count).contains {
            line[$0] == text[0] && line[$0..<$0 + text.count] == text
        }
    }

    private static func name(of pid: pid_t) -> String? {
        guard pid > 0, let comm = readAll("/proc/\(pid)/comm") else { return nil }
        return Redaction.sanitize(comm.prefix { $0 != UInt8(ascii: "\n") }, limit: 64)
    }

    /// Reads a file of /proc, which gives a page at each read(2).
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
        return name.map { "process \(pid) (\($0))" } ?? "a process that process \(pid) has left behind"
    }
}

extension LockHolder {
    fileprivate func describe(in json: inout JSONWriter) {
        if pid > 0 { json.add("pid", pid) }
        if let name { json.add("name", name) }
    }
}

/// The next command waits for the lock, because another process holds it.
struct LockWait: Equatable, CustomStringConvertible {
    let path: String
    let since: time_t
    var holder: LockHolder?

    /// The lock file and its holder, for people.
    var description: String { "the lock \(path), held by \(holder.map { "\($0)" } ?? "an unknown process")" }

    /// The same for programs.
    func describe(in json: inout JSONWriter) {
        json.add("path", path)
        json.add("since_at", since)
        if let holder { json.addObject("holder", holder.describe) }
    }
}

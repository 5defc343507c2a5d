// What the kernel's files say of a process: its control group, and when it started (proc_pid_cgroup(5),
// proc_pid_stat(5)).
//
// They are found by the process ID, so what they say is of whichever process has that number now.
import Glibc

enum ProcessFiles {
    /// More than these files have. What is longer is cut, and then not understood.
    private static let readLimit = 16 * 1024

    /// The control group of the process; nil if it is not known or says nothing.
    static func cgroup(of pid: pid_t) -> String? { read("cgroup", of: pid).flatMap(cgroup(in:)) }

    /// True if the process runs, and had already started at `time`.
    static func runs(_ pid: pid_t, since time: BootTime) -> Bool {
        guard let stat = read("stat", of: pid), let start = latestStart(in: stat) else { return false }
        return start <= time
    }

    /// The path in the line `0::PATH`, which is the group in the unified hierarchy, cgroups(7). Nil if the system has
    /// none, and if the group is the root, where everything is that no container holds.
    static func cgroup(in file: [UInt8]) -> String? {
        let lines = file.split(separator: UInt8(ascii: "\n"))
        // Without a newline the line may be cut.
        guard file.last == UInt8(ascii: "\n"), let line = lines.first(where: { $0.starts(with: "0::/".utf8) })
        else { return nil }
        let path = line.dropFirst(3)
        // A removed group says where the process was, not where it is.
        if path.count == 1 || path.suffix(removed.count).elementsEqual(removed) { return nil }
        return String(decoding: path, as: UTF8.self)
    }

    private static let removed = " (deleted)".utf8

    /// When the process started, at the latest: the kernel tells the tick in which it did. Nil if it has ended.
    static func latestStart(in stat: [UInt8]) -> BootTime? {
        // The name stands in parentheses and may hold any character, so the fields are counted from its end.
        guard let nameEnd = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = stat[(nameEnd + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let state = fields[0].first, !ended.contains(state),
            let tick = Int64(String(decoding: fields[19], as: UTF8.self)),
            (0..<Int64.max / tickLength).contains(tick)
        else { return nil }
        return BootTime(nanoseconds: (tick + 1) * tickLength)
    }

    /// A zombie, and a process that is being removed.
    private static let ended = "ZXx".utf8
    /// Nanoseconds.
    private static let tickLength = 1_000_000_000 / Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))

    /// These files come with a single read(2). Nil if there is no such process, or if it cannot be seen.
    private static func read(_ name: StaticString, of pid: pid_t) -> [UInt8]? {
        guard let file = try? Descriptor.open("/proc/\(pid)/\(name)", O_RDONLY) else { return nil }
        return try? file.readStart(readLimit)
    }
}

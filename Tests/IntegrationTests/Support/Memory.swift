// How much memory a daemon takes beyond what it had at some moment.
import Glibc
import TestSupport
import Testing

struct Memory {
    private let pid: pid_t
    /// What was in use at the beginning, in KiB.
    let idle: Int

    /// From now on: the highest mark is set back to what is in use, proc_pid_clear_refs(5).
    init(of daemon: DaemonProcess) throws {
        pid = daemon.process.pid
        let file = try checked("open", open("/proc/\(pid)/clear_refs", O_WRONLY | O_CLOEXEC))
        defer { close(file) }
        try writeAll([UInt8(ascii: "5")], to: file)
        idle = try Self.value("VmRSS", pid)
    }

    /// The most that was in use at a time since, beyond what was in use at the beginning, in KiB.
    var growth: Int { get throws { try Self.value("VmHWM", pid) - idle } }

    /// What is in use now, in KiB.
    static func resident(_ daemon: DaemonProcess) throws -> Int { try value("VmRSS", daemon.process.pid) }

    private static func value(_ name: String, _ pid: pid_t) throws -> Int {
        let lines = contents("/proc/\(pid)/status").text.split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix(name + ":") })
        return try #require(Int(line.split(separator: " ").dropFirst().first ?? ""))
    }
}

// The clock by which the kernel notes the start of a process: CLOCK_BOOTTIME, which goes on while the system sleeps.
import CEpollShim

/// A point in time since the system's boot.
struct BootTime: Comparable, Sendable {
    let nanoseconds: Int64

    static var now: BootTime { BootTime(nanoseconds: shim_boot_nanoseconds()) }

    static func < (one: BootTime, other: BootTime) -> Bool { one.nanoseconds < other.nanoseconds }
}

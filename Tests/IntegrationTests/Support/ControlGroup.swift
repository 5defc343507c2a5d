// A control group of its own, as a container has one: cgroups(7).
import Foundation
import TestSupport

final class ControlGroup {
    /// Its folder in the unified hierarchy.
    let folder: String

    /// Where groups can be made: where that hierarchy is mounted, or at the place in it that this process has. Nil if
    /// nowhere.
    private static let parent: String? = {
        let mounts = contents("/proc/self/mounts").text.split(separator: "\n").map {
            $0.split(separator: " ")
        }
        guard let mount = mounts.first(where: { $0.count > 2 && $0[2] == "cgroup2" })?[1] else { return nil }
        return [String(mount), mount + own].first { folder in
            let trial = folder + "/dokku-daemon-trial-\(getpid())"
            defer { rmdir(trial) }
            return mkdir(trial, 0o755) == 0 && access(trial + "/cgroup.procs", W_OK) == 0
        }
    }()

    static var canBeMade: Bool { parent != nil }

    /// The group of this process; a slash if it is the root, or if there is no unified hierarchy.
    static let own: String = {
        let lines = contents("/proc/self/cgroup").text.split(separator: "\n")
        return lines.first { $0.hasPrefix("0::") }.map { String($0.dropFirst(3)) } ?? "/"
    }()

    init() throws {
        folder = (Self.parent ?? "") + "/dokku-daemon-\(UUID().uuidString)"
        try checked("mkdir \(folder)", mkdir(folder, 0o755))
    }

    /// Those in it have been killed, but may not have ended: the kernel reports when the last one has (cgroups(7),
    /// cgroup.events).
    deinit {
        let events = open(folder + "/cgroup.events", O_RDONLY | O_CLOEXEC)
        defer { close(events) }
        var text = [UInt8](repeating: 0, count: 256)
        repeat {
            // poll(2) reports what has changed since the last reading.
            _ = pread(events, &text, text.count, 0)
            if rmdir(folder) == 0 || errno != EBUSY { return }
        } while (try? Deadline().wait(events, for: Int32(POLLPRI), what: "the end of a control group")) != nil
    }
}

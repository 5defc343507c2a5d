// What the kernel's files say of a process, as texts and of real processes.
import CEpollShim
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct ProcessFilesTests {
    @Test(
        arguments: [
            ("0::/system.slice/docker-4f1c.scope\n", "/system.slice/docker-4f1c.scope"),
            ("12:pids:/x\n1:name=systemd:/y\n0::/docker/4f1c\n", "/docker/4f1c"),
            ("0::/../user.slice\n", "/../user.slice"),
            ("0::/a b:c = \"d\" \\x2d\n", "/a b:c = \"d\" \\x2d"),
            // The root, also in the other hierarchies.
            ("0::/\n", nil), ("4:memory:/x\n0::/\n", nil),
            // No unified hierarchy.
            ("12:pids:/docker/4f1c\n1:name=systemd:/docker/4f1c\n", nil), ("10::/x\n", nil), ("", nil),
            ("1:name=0::/x:/y\n", nil), ("0::x\n", nil),
            // Of a group that was removed.
            ("0::/x (deleted)\n", nil),
            // Cut.
            ("0::/system.slice/dock", nil), ("0::/system.slice\n1:na", nil),
        ] as [(String, String?)])
    func `the group is the path of the unified hierarchy`(file: String, path: String?) {
        #expect(ProcessFiles.cgroup(in: Array(file.utf8)) == path)
    }

    private func stat(_ name: String = "dokku", state: String = "S", start: String = "4242") -> [UInt8] {
        let middle = (4...21).map(String.init).joined(separator: " ")
        return Array("17 (\(name)) \(state) \(middle) \(start) 23 24\n".utf8)
    }

    /// Ticks of 10 ms: the kernel counts in these for programs, on any machine that runs the daemon.
    @Test func `a start is taken for as late as it may have been`() {
        #expect(ProcessFiles.latestStart(in: stat()) == BootTime(nanoseconds: 42_430_000_000))
        #expect(ProcessFiles.latestStart(in: stat(start: "0")) == BootTime(nanoseconds: 10_000_000))
        for name in ["a b", ") R 1 2", "((", "a\n)"] {
            #expect(
                ProcessFiles.latestStart(in: stat(name)) == ProcessFiles.latestStart(in: stat()), "\(name)")
        }
    }

    @Test func `no start is read where none is`() {
        for state in ["Z", "X", "x"] { #expect(ProcessFiles.latestStart(in: stat(state: state)) == nil) }
        for start in ["-1", "x", "\(Int64.max)", "\(UInt64.max)"] {
            #expect(ProcessFiles.latestStart(in: stat(start: start)) == nil, "\(start)")
        }
        for text in ["", ")", "17 (dokku", "17 (dokku) S 4 5 6"] {
            #expect(ProcessFiles.latestStart(in: Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test func `a process runs since it started, until it has ended`() throws {
        let before = BootTime.now
        var pid: pid_t = 0
        var arguments = [strdup("sleep"), strdup("1000"), nil]
        defer { for argument in arguments { free(argument) } }
        try #require(posix_spawnp(&pid, "sleep", nil, nil, &arguments, nil) == 0)
        let pidfd = Descriptor(owning: try checked("pidfd_open", shim_pidfd_open(pid)))
        #expect(!ProcessFiles.runs(pid, since: before))
        // The kernel tells only the tick in which it started.
        let later = BootTime(nanoseconds: BootTime.now.nanoseconds + 20_000_000)
        #expect(ProcessFiles.runs(pid, since: later))
        kill(pid, SIGKILL)
        var query = pollfd(fd: pidfd.number, events: Int16(POLLIN), revents: 0)
        while poll(&query, 1, -1) != 1 {}
        #expect(!ProcessFiles.runs(pid, since: later), "a zombie")
        waitpid(pid, nil, 0)
        #expect(!ProcessFiles.runs(pid, since: later))
        #expect(ProcessFiles.cgroup(of: pid) == nil)
    }

    @Test func `a process that does not exist has no group`() {
        #expect(ProcessFiles.cgroup(of: -1) == nil)
        #expect(ProcessFiles.cgroup(of: .max) == nil)
        #expect(!ProcessFiles.runs(.max, since: .now))
    }
}

// The control group of a client in the log: it tells containers apart, and is never another process's.
import Foundation
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: ControlGroup.canBeMade, "no control group can be made here"))
struct ClientGroupTests {
    /// The kernel as it is, or as one before Linux 6.5 that knows no SO_PEERPIDFD.
    enum Kernel: CaseIterable { case own, older }

    /// The daemon notes in the file `asked` each time that it asks for the peer's pidfd.
    private func daemon(_ kernel: Kernel = .own) throws -> DaemonProcess {
        let box = try Box()
        let source = try box.write(
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <errno.h>
            #include <stdio.h>
            #include <sys/socket.h>
            int getsockopt(int socket, int level, int name, void *value, socklen_t *size) {
                if (level == SOL_SOCKET && name == 77) {
                    FILE *file = fopen("\(box.path("asked"))", "a");
                    fputs("asked\\n", file);
                    fclose(file);
                    if (\(kernel == .older ? 1 : 0)) return errno = ENOPROTOOPT, -1;
                }
                int (*next)(int, int, int, void *, socklen_t *) = dlsym(RTLD_NEXT, "getsockopt");
                return next(socket, level, name, value, size);
            }
            """, to: "kernel.c")
        let library = box.path("kernel.so")
        _ = try PipedProgram.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"])
        return try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], settings: ["LD_PRELOAD": library])
    }

    /// A client in a group of its own.
    private struct Contained {
        // Ended before its group is removed.
        let program: PipedProgram
        let group: ControlGroup
        /// As the client itself sees it.
        let path: String

        init(_ daemon: DaemonProcess, leaves: Bool = false) throws {
            group = try ControlGroup()
            program = try PipedProgram(
                ["python3", DaemonProcess.client("in-group.py"), daemon.path, group.folder]
                    + (leaves ? ["leave"] : []))
            path = try #require(try program.output.line()).text
            // The kernel tells the start of a process only by the tick of 10 ms.
            usleep(20_000)
        }

        var pid: pid_t { program.process.pid }

        func ask(_ line: String) throws -> Reply {
            try program.send(line + "\n")
            return try Reply(line: #require(try program.output.line()))
        }
    }

    private func owner(_ pid: pid_t, _ group: String) -> String {
        let group = group == "/" ? "" : " cgroup=\(group)"
        return " pid=\(pid) uid=\(getuid()) gid=\(getgid())\(group) "
    }

    @Test(arguments: Kernel.allCases) func `clients of one user are told apart`(kernel: Kernel) throws {
        let daemon = try daemon(kernel)
        let clients = try (0..<2).map { _ in try Contained(daemon) }
        #expect(clients[0].path != clients[1].path)
        for (number, client) in clients.enumerated() {
            #expect(try client.ask("apps:create a\(number)").ok)
            let line = try daemon.log.line(with: "[cmd] #\(number + 1)")
            #expect(line.hasSuffix(owner(client.pid, client.path) + "apps:create a\(number)"), "\(line)")
        }
        #expect(try daemon.ask("apps:create b").ok)
        let line = try daemon.log.line(with: "apps:create b")
        #expect(line.hasSuffix(owner(getpid(), ControlGroup.own) + "apps:create b"), "\(line)")
        #expect(!daemon.log.lines.contains { $0.contains("[res]") && $0.contains("cgroup=") })
    }

    @Test func `what is refused or changes the daemon has it, too`() throws {
        let daemon = try daemon()
        let client = try Contained(daemon)
        #expect(try client.ask("nonsense").ok == false)
        #expect(try client.ask("refresh").ok)
        for end in ["***", "refresh"] {
            let line = try daemon.log.line(with: "[cmd] -", owner(client.pid, client.path), end)
            #expect(line.hasSuffix(owner(client.pid, client.path) + end), "\(line)")
        }
    }

    @Test func `it is asked for once, with the first line that is logged`() throws {
        let daemon = try daemon()
        let idle = try daemon.connect()
        let client = try daemon.connect()
        for line in ["daemon:version", "daemon:status", "daemon:queue", "commands"] {
            #expect(try client.ask(line).ok)
        }
        #expect(!daemon.box.has("asked"))
        for number in 0..<3 { #expect(try client.ask("apps:create a\(number)").ok) }
        #expect(try client.ask("nonsense").ok == false)
        #expect(try daemon.box.read("asked") == "asked\n")
        #expect(try idle.ask("refresh").ok)
        #expect(try daemon.box.read("asked") == "asked\nasked\n")
    }

    /// It may still be there, until its parent asks how it has ended.
    enum Remains: CaseIterable { case none, zombie }

    @Test(arguments: Kernel.allCases, Remains.allCases)
    func `a client that has died has none`(kernel: Kernel, remains: Remains) throws {
        let daemon = try daemon(kernel)
        let client = try Contained(daemon, leaves: true)
        daemon.process.signal(SIGSTOP)
        try client.program.send("apps:create a\n")
        #expect(try client.program.output.line()?.text == "left")
        kill(client.pid, SIGKILL)
        try Deadline().wait(client.program.process.pidfd, what: "the client's end")
        if remains == .none { try client.program.process.wait() }
        daemon.process.signal(SIGCONT)
        let line = try daemon.log.line(with: "apps:create a")
        #expect(line.hasSuffix(owner(client.pid, "/") + "apps:create a"), "\(line)")
    }

    /// If it cannot be proved, it must at least still hold its connection.
    @Test(arguments: Kernel.allCases) func `a client that lives but has left`(kernel: Kernel) throws {
        let daemon = try daemon(kernel)
        let client = try Contained(daemon, leaves: true)
        daemon.process.signal(SIGSTOP)
        try client.program.send("apps:create a\n")
        #expect(try client.program.output.line()?.text == "left")
        daemon.process.signal(SIGCONT)
        let line = try daemon.log.line(with: "apps:create a")
        let group = kernel == .own ? client.path : "/"
        #expect(line.hasSuffix(owner(client.pid, group) + "apps:create a"), "\(line)")
    }

    @Test(
        .enabled(
            if: access("/proc/sys/kernel/ns_last_pid", W_OK) == 0, "no process can be given a number here"),
        arguments: Kernel.allCases)
    func `a process that has got the number of a client is not taken for it`(kernel: Kernel) throws {
        let daemon = try daemon(kernel)
        let group = try ControlGroup()
        let output = try PipedProgram.run(
            ["python3", DaemonProcess.client("reborn.py"), daemon.path, group.folder])
        let pid = try #require(pid_t(output.dropLast()))
        let line = try daemon.log.line(with: "apps:create reborn")
        #expect(line.hasSuffix(owner(pid, "/") + "apps:create reborn"), "\(line)")
    }
}

// Sockets that systemd hands over, sd_listen_fds(3): descriptors from 3 on, and variables that name them. Both belong to
// a whole process, so each test has one of its own.
import CEpollShim
import Foundation
import Testing

@testable import DokkuDaemon

@Suite struct ActivationTests {
    /// Runs `body` in a fork, and ends this process as that one ends. The runtime of an exit test has threads with
    /// descriptors of their own, which the handed-over ones would replace: a fork has none of these threads.
    private static func alone(_ body: () throws -> Void) -> Never {
        guard let symbol = dlsym(nil, "fork") else { _exit(2) }
        let fork = unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)
        let child = fork()
        if child == 0 {
            do { try body() } catch { demand(false, "it throws nothing: \(error)") }
            _exit(0)
        }
        var status: Int32 = 0
        _exit(waitpid(child, &status, 0) == child ? status == 0 ? 0 : 1 : 2)
    }

    /// Ends the process with a reason if the condition does not hold.
    private static func demand(_ condition: Bool, _ what: String) {
        if condition { return }
        FileHandle.standardError.write(Data("It does not hold that \(what)\n".utf8))
        _exit(1)
    }

    /// What is handed over: a listening socket at a path, or anything else.
    private enum Given {
        case listener(String)
        case other(Int32)
    }

    /// Hands over descriptors with their names, as systemd does before it executes the daemon.
    private static func handOver(_ given: [(Given, name: String)], to pid: pid_t = getpid()) {
        let opened = given.map { given, _ in
            switch given {
            case .other(let number): return fcntl(number, F_DUPFD_CLOEXEC, 100)
            case .listener(let path):
                let number = shim_unix_socket()
                demand(shim_bind(number, path) == 0 && listen(number, 8) == 0, "\(path) can be bound")
                // systemd's sockets block, as they come.
                _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) & ~O_NONBLOCK)
                return fcntl(number, F_DUPFD_CLOEXEC, 100)
            }
        }
        for (place, number) in opened.enumerated() { dup2(number, 3 + Int32(place)) }
        setenv("LISTEN_PID", "\(pid)", 1)
        setenv("LISTEN_FDS", "\(given.count)", 1)
        setenv("LISTEN_FDNAMES", given.map(\.name).joined(separator: ":"), 1)
    }

    private static func isOpen(_ number: Int32) -> Bool { fcntl(number, F_GETFD) >= 0 }

    @Test func `a start by hand hands nothing over`() async {
        await #expect(processExitsWith: .success) {
            ActivationTests.alone {
                for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
                let (sockets, faults) = try Activation.takeOver()
                ActivationTests.demand(sockets.isEmpty && faults.isEmpty, "nothing is handed over")
            }
        }
    }

    @Test func `sockets come with their paths and rules`() async {
        await #expect(processExitsWith: .success) {
            ActivationTests.alone {
                let folder = try Folder()
                let (one, two) = (folder.path("one"), folder.path("two"))
                ActivationTests.handOver([
                    (.listener(one), name: "dokku-daemon.socket"),
                    (.listener(two), name: "read-only,one-shot"),
                ])
                let (sockets, faults) = try Activation.takeOver()
                ActivationTests.demand(faults.isEmpty, "nothing is wrong: \(faults)")
                ActivationTests.demand(sockets.map(\.name) == [one, two], "the paths are theirs")
                ActivationTests.demand(sockets[0].options == [], "systemd's own name has no rules")
                ActivationTests.demand(sockets[1].options == [.readOnly, .oneShot], "the name has the rules")
                for socket in sockets {
                    let number = socket.descriptor.number
                    ActivationTests.demand(fcntl(number, F_GETFL) & O_NONBLOCK != 0, "accept does not block")
                    ActivationTests.demand(fcntl(number, F_GETFD) & FD_CLOEXEC != 0, "no child has it")
                    ActivationTests.demand(socket.ownFile == nil, "its file is systemd's")
                }
                ActivationTests.demand(getenv("LISTEN_FDS") == nil, "no child looks for them")
            }
        }
    }

    @Test func `sockets for another process are left alone`() async {
        await #expect(processExitsWith: .success) {
            ActivationTests.alone {
                let folder = try Folder()
                ActivationTests.handOver([(.listener(folder.path("one")), name: "")], to: getppid())
                let (sockets, faults) = try Activation.takeOver()
                ActivationTests.demand(sockets.isEmpty && faults.isEmpty, "nothing is taken")
                ActivationTests.demand(ActivationTests.isOpen(3), "it is open still")
            }
        }
    }

    @Test func `a descriptor that is no listener is told and closed beside one that is`() async {
        await #expect(processExitsWith: .success) {
            ActivationTests.alone {
                let folder = try Folder()
                let path = folder.path("right")
                ActivationTests.handOver([
                    (.other(open("/dev/null", O_RDWR)), name: "null"), (.listener(path), name: ""),
                    (.other(shim_unix_datagram_socket()), name: "datagrams"),
                ])
                let (sockets, faults) = try Activation.takeOver()
                ActivationTests.demand(sockets.map(\.name) == [path], "the listener is taken")
                let expected = [
                    "descriptor 3 (null) from systemd is not a listening unix stream socket",
                    "descriptor 5 (datagrams) from systemd is not a listening unix stream socket",
                ]
                ActivationTests.demand(faults == expected, "each of the others is named: \(faults)")
                ActivationTests.demand(ActivationTests.isOpen(4), "the listener stays open")
                ActivationTests.demand(
                    !ActivationTests.isOpen(3) && !ActivationTests.isOpen(5), "the others are closed")
            }
        }
    }

    @Test func `nothing but wrong descriptors stops the start`() async {
        await #expect(processExitsWith: .success) {
            ActivationTests.alone {
                ActivationTests.handOver([
                    (.other(open("/dev/null", O_RDWR)), name: "a"), (.other(shim_unix_socket()), name: "b"),
                ])
                do throws(StartFailure) {
                    _ = try Activation.takeOver()
                    ActivationTests.demand(false, "it is an error")
                } catch {
                    ActivationTests.demand(
                        error.exitStatus == EX_UNAVAILABLE, "the status is \(error.exitStatus)")
                    let text = error.description
                    ActivationTests.demand(text.contains("3 (a)") && text.contains("4 (b)"), "both are named")
                }
            }
        }
    }

    @Test func `an unknown rule is told and the known ones hold`() async {
        await #expect(processExitsWith: .success) {
            ActivationTests.alone {
                let folder = try Folder()
                let path = folder.path("odd")
                ActivationTests.handOver([(.listener(path), name: "read-only,odd")])
                let (sockets, faults) = try Activation.takeOver()
                ActivationTests.demand(
                    sockets.map(\.options) == [.readOnly], "clients have the rule that is known")
                ActivationTests.demand(
                    faults.count == 1 && faults[0].contains(path) && faults[0].contains("read-only,odd"),
                    "the socket and its name are told: \(faults)")
            }
        }
    }
}

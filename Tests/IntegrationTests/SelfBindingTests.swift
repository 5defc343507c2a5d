// The socket that the daemon binds itself, where nobody handed one over.
import CEpollShim
import Glibc
import Testing

@Suite struct SelfBindingTests {
    @Test func theFolderIsMadeAndEverybodyMayConnect() throws {
        let box = try Box()
        let path = box.path("run/dokku-daemon/socket")
        let daemon = try Daemon(box, sockets: [], settings: ["DOKKU_SOCK_PATH": path])
        #expect(try daemon.connect(path).ask("apps:create a").ok)
        var status = stat()
        try checked("stat", stat(path, &status))
        #expect(status.st_mode & S_IFMT == S_IFSOCK)
        #expect(status.st_mode & 0o777 == 0o777)
    }

    @Test func aStaleSocketFileIsTakenOver() throws {
        let box = try Box()
        let path = box.path("socket")
        do {
            // Shut as well: a child that another test is just starting may have it open for a moment longer.
            let stale = try ListeningSocket(path)
            shutdown(stale.descriptor, Int32(SHUT_RDWR))
        }
        #expect(throws: SystemFailure.self) { try Connection(to: path) }
        let daemon = try Daemon(box, sockets: [])
        #expect(try daemon.ask("apps:create a").ok)
    }

    @Test func afterAKillThePathIsTakenOver() throws {
        let box = try Box()
        let first = try Daemon(box, sockets: [])
        first.process.signal(SIGKILL)
        try first.process.wait()
        #expect(try Daemon(box, sockets: []).ask("apps:create a").ok)
    }

    @Test func besideALivingDaemonItDoesNotStart() throws {
        let box = try Box()
        let first = try Daemon(box, sockets: [])
        let second = try Daemon(box, sockets: [], settings: ["NOTIFY_SOCKET": ""], ready: false)
        #expect(try second.process.wait() != .status(0))
        #expect(second.errors.contains(box.path("socket")))
        #expect(second.errors.contains("already"))
        #expect(try first.ask("apps:create a").ok)
    }

    @Test func aFileThatIsNoSocketIsLeftAlone() throws {
        let box = try Box()
        try box.write("socket", "precious")
        let daemon = try Daemon(box, sockets: [], ready: false)
        #expect(try daemon.process.wait() != .status(0))
        #expect(daemon.errors.contains(box.path("socket")))
        #expect(box.read("socket").text == "precious")
    }

    @Test func aPathTooLongForASocketIsAClearError() throws {
        let box = try Box()
        let path = box.path(String(repeating: "x", count: 120))
        let daemon = try Daemon(box, sockets: [], settings: ["DOKKU_SOCK_PATH": path], ready: false)
        #expect(try daemon.process.wait() != .status(0))
        #expect(daemon.errors.contains("Error: "))
    }
}

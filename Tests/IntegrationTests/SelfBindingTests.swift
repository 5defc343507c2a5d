// The socket that the daemon binds itself, where nobody handed one over.
import CEpollShim
import Foundation
import TestSupport
import Testing

@Suite struct SelfBindingTests {
    @Test func `the folder is made and everybody may connect`() throws {
        let box = try Box()
        let path = box.path("run/dokku-daemon/socket")
        let daemon = try DaemonProcess(box, sockets: [], settings: ["DOKKU_SOCK_PATH": path])
        #expect(try daemon.connect(path).ask("apps:create a").ok)
        var status = stat()
        try checked("stat", stat(path, &status))
        #expect(status.st_mode & S_IFMT == S_IFSOCK)
        #expect(status.st_mode & 0o777 == 0o777)
    }

    @Test func `a stale socket file is taken over`() throws {
        let box = try Box()
        let path = box.path("socket")
        do {
            // Shut as well: a child that another test is just starting may have it open for a moment longer.
            let stale = try BoundSocket(path)
            shutdown(stale.descriptor, Int32(SHUT_RDWR))
        }
        #expect(throws: SystemFailure.self) { try TestClient(to: path) }
        let daemon = try DaemonProcess(box, sockets: [])
        #expect(try daemon.ask("apps:create a").ok)
    }

    @Test func `the path is taken over after a kill`() throws {
        let box = try Box()
        let first = try DaemonProcess(box, sockets: [])
        first.process.signal(SIGKILL)
        try first.process.wait()
        #expect(try DaemonProcess(box, sockets: []).ask("apps:create a").ok)
    }

    @Test func `the daemon does not start beside a living one`() throws {
        let box = try Box()
        let first = try DaemonProcess(box, sockets: [])
        let second = try DaemonProcess(box, sockets: [], settings: ["NOTIFY_SOCKET": ""], ready: false)
        #expect(try second.process.wait() != .status(0))
        #expect(second.errors.contains(box.path("socket")))
        #expect(second.errors.contains("already"))
        #expect(try first.ask("apps:create a").ok)
    }

    @Test func `a file that is no socket is left alone`() throws {
        let box = try Box()
        try box.write("precious", to: "socket")
        let daemon = try DaemonProcess(box, sockets: [], ready: false)
        #expect(try daemon.process.wait() != .status(0))
        #expect(daemon.errors.contains(box.path("socket")) && daemon.errors.contains("not a socket"))
        #expect(try box.read("socket") == "precious")
    }

    @Test(arguments: [SOCK_DGRAM, SOCK_SEQPACKET])
    func `a living socket of another type is left alone`(kind: __socket_type) throws {
        let box = try Box()
        let other = try checked(
            "socket", socket(AF_UNIX, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        defer { close(other) }
        try checked("bind", shim_bind(other, box.path("socket")))
        if kind == SOCK_SEQPACKET { try checked("listen", listen(other, 1)) }
        let daemon = try DaemonProcess(box, sockets: [], ready: false)
        #expect(try daemon.process.wait() == .status(EX_UNAVAILABLE))
        #expect(daemon.errors.contains("another type"), "\(daemon.errors)")
        #expect(box.has("socket"))
    }

    @Test func `a daemon that starts in the same folder at the same time is waited for`() throws {
        let box = try Box()
        let folder = try checked("open", open(box.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        defer { close(folder) }
        try checked("flock", flock(folder, LOCK_EX))
        let daemon = try DaemonProcess(box, sockets: [], ready: false)
        // It has the folder open: the lock is what it waits for. There is no event for that.
        let descriptors = "/proc/\(daemon.process.pid)/fd"
        let deadline = ContinuousClock.now + .patience
        while !isOpen(box.path, in: descriptors), access(descriptors, F_OK) == 0,
            ContinuousClock.now < deadline
        {
            sched_yield()
        }
        try checked("flock", flock(folder, LOCK_UN))
        try daemon.manager.line("READY=1", from: daemon.process)
        #expect(try daemon.ask("apps:create a").ok)
    }

    private func isOpen(_ path: String, in folder: String) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.contains {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")) == path
        }
    }

    @Test func `a path that ends with a slash leaves no folder`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(
            box, sockets: [], settings: ["DOKKU_SOCK_PATH": box.path("run/socket/")], ready: false)
        #expect(try daemon.process.wait() == .status(EX_CONFIG))
        #expect(daemon.errors.contains("DOKKU_SOCK_PATH is "), "\(daemon.errors)")
        #expect(!box.has("run"))
    }

    @Test func `a path too long for a socket is a clear error`() throws {
        let box = try Box()
        let path = box.path(String(repeating: "x", count: 120))
        let daemon = try DaemonProcess(box, sockets: [], settings: ["DOKKU_SOCK_PATH": path], ready: false)
        #expect(try daemon.process.wait() != .status(0))
        #expect(daemon.errors.contains("Error: "))
    }
}

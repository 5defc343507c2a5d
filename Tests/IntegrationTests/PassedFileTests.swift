// Files that clients pass through the socket: nobody wants them, and nobody waits for them.
import CEpollShim
import Glibc
import TestSupport
import Testing

@Suite struct PassedFileTests {
    /// Longer than anybody's patience.
    private static let linger: Int32 = 300
    /// A request takes no longer than this on a busy machine; the last close of such a socket does.
    private static let promptly = Duration.seconds(20)

    /// The kernel as it is, or as one before Linux 6.16 that knows no SO_PASSRIGHTS.
    enum Kernel: CaseIterable { case own, older }

    /// A client can do so before the daemon has started, too.
    enum Moment: CaseIterable { case beforeTheStart, whileItServes }

    private func settings(_ kernel: Kernel, _ box: Box) throws -> [String: String] {
        guard kernel == .older else { return [:] }
        let source = try box.write(
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <errno.h>
            #include <sys/socket.h>
            int setsockopt(int socket, int level, int name, const void *value, socklen_t size) {
                if (level == SOL_SOCKET && name == 83) return errno = ENOPROTOOPT, -1;
                int (*next)(int, int, int, const void *, socklen_t) = dlsym(RTLD_NEXT, "setsockopt");
                return next(socket, level, name, value, size);
            }
            """, to: "older.c")
        let library = box.path("older.so")
        _ = try PipedProgram.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"])
        return ["LD_PRELOAD": library]
    }

    private func daemon(
        _ kernel: Kernel, settings: [String: String] = [:], before: (String) throws -> Void = { _ in }
    ) throws -> DaemonProcess {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        try before(socket.path)
        return try DaemonProcess(
            box, sockets: [socket],
            settings: settings.merging(try self.settings(kernel, box)) { given, _ in given })
    }

    private func expectService(_ daemon: DaemonProcess) throws {
        let client = try daemon.connect()
        for _ in 0..<3 {
            try client.send("daemon:version\ntest:args on\n")
            #expect(try client.reply(patience: Self.promptly).ok)
            #expect(try client.reply(patience: Self.promptly) == .good("<on>"))
        }
    }

    @Test(arguments: Kernel.allCases, Moment.allCases)
    func `nobody waits for the last close of a passed file`(kernel: Kernel, moment: Moment) throws {
        var attackers: [TestClient] = []
        var sockets: [LingeringSocket] = []
        defer { withExtendedLifetime(sockets) {} }
        func attack(_ path: String) throws {
            for flags in [0, Int(MSG_OOB)] {
                let attacker = try TestClient(to: path)
                try attacker.send("daemon:version\n")
                let socket = try LingeringSocket(linger: Self.linger)
                try socket.leave(to: attacker.stream.descriptor, flags: flags)
                attackers.append(attacker)
                sockets.append(socket)
            }
        }
        let daemon = try daemon(kernel, before: { if moment == .beforeTheStart { try attack($0) } })
        if moment == .whileItServes { try attack(daemon.path) }
        try expectService(daemon)
        attackers = []
        try expectService(daemon)
        #expect(try daemon.stop() == .status(0))
    }

    /// Nor where it lies in the queue of a socket that was passed, or in that of a connection that is not read.
    @Test(arguments: Kernel.allCases) func `nobody waits if it lies deeper`(kernel: Kernel) throws {
        let daemon = try daemon(kernel)
        var sockets: [LingeringSocket] = []
        var attackers: [TestClient] = []
        defer { withExtendedLifetime(sockets) {} }
        for attempt in 0..<3 {
            var ends: [Int32] = [-1, -1]
            try checked(
                "socketpair",
                socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends))
            let socket = try LingeringSocket(linger: Self.linger)
            #expect(try socket.isPassed(through: ends[0]))
            let attacker = try daemon.connect()
            // The second line is not taken before the first is answered, and what follows is not read.
            if attempt > 0 { try attacker.send("test:args a\ntest:args b\n") }
            if try passFile(ends[1], through: attacker.stream.descriptor) { socket.abandon() }
            for end in ends { close(end) }
            sockets.append(socket)
            attackers.append(attacker)
        }
        attackers.removeFirst(2)
        try expectService(daemon)
    }

    /// One too many is told so, and what it has sent meanwhile is thrown away.
    @Test(arguments: Kernel.allCases)
    func `nobody waits if the connection is refused`(kernel: Kernel) throws {
        let daemon = try daemon(kernel, settings: ["DOKKU_DAEMON_MAX_CONNECTIONS": "1"])
        let first = try daemon.connect()
        #expect(try first.ask("daemon:version").ok)
        var sockets: [LingeringSocket] = []
        defer { withExtendedLifetime(sockets) {} }
        for _ in 0..<20 {
            let attacker = try daemon.connect()
            let socket = try LingeringSocket(linger: Self.linger)
            // The daemon may have closed it already.
            try? socket.leave(to: attacker.stream.descriptor)
            sockets.append(socket)
        }
        for _ in 0..<3 {
            try first.send("test:args on\n")
            #expect(try first.reply(patience: Self.promptly) == .good("<on>"))
        }
    }

    @Test func `the kernel refuses passed files if it can`() throws {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout.size(ofValue: value))
        let probe = try checked("socket", shim_unix_socket())
        defer { close(probe) }
        let isKnown = getsockopt(probe, SOL_SOCKET, 83, &value, &size) == 0
        for sockets in [1, 0] {
            let box = try Box()
            let daemon = try DaemonProcess(
                box, sockets: try (0..<sockets).map { _ in try BoundSocket(box.path("socket")) })
            let client = try daemon.connect()
            #expect(try client.ask("daemon:version").ok)
            #expect(try passFile(0, through: client.stream.descriptor) == !isKnown)
        }
    }

    /// Only who passes files is let go of, and whatever others send comes as it was.
    @Test func `an older kernel's clients are served as others are`() throws {
        let daemon = try daemon(.older)
        let client = try daemon.connect()
        let attacker = try daemon.connect()
        #expect(try passFile(0, through: attacker.stream.descriptor))
        #expect(try attacker.ends())
        let input = [UInt8](repeating: 0x79, count: 3_000_000)
        try client.send("{\"command\":\"test:stdin\",\"stdin_length\":\(input.count)}\n")
        try client.send(input)
        #expect(try client.answer()["output"]?.text?.utf8.count == input.count)
        try client.send("test:args a\ntest:args ")
        #expect(try client.reply() == .good("<a>"))
        try client.send("b")
        client.halfClose()
        #expect(try client.reply() == .good("<b>"))
        #expect(try client.ends())
    }
}

// The built daemon as a process of its own, with a socket, a log and a state folder in the test's box.
import Foundation
import TestSupport

final class DaemonProcess {
    let box: Box
    let process: Spawned
    let manager: NotifySocket
    let log: WatchedFile
    /// Where the first listening socket is.
    let path: String
    let sockets: [BoundSocket]

    /// Named by the environment, else what was built beside this test.
    static let binary: String = {
        if let given = ProcessInfo.processInfo.environment["DOKKU_DAEMON_BINARY"] { return given }
        let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let bundle = CommandLine.arguments.last { $0.hasSuffix(".xctest") } ?? runner
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("dokku-daemon")
            .path
    }()

    /// Only a release build takes on the largest sizes in a test's time.
    static let isReleaseBuild = binary.contains("/release/")

    static let standIn = Repository.path("Tests/StandIn")

    /// A script or a program beside the suites, for another language's client.
    static func client(_ name: String) -> String {
        Repository.path("Tests/IntegrationTests/Clients/\(name)")
    }

    /// The settings that keep a daemon inside the box.
    static func settings(in box: Box) -> [String: String] {
        [
            "DOKKU_SOCK_PATH": box.path("socket"), "DOKKU_LOCK_PATH": box.path("lock"),
            "DOKKU_DAEMON_LOGFILE": box.path("log"), "DOKKU_DAEMON_STATE_DIR": box.path("state"),
            "DOKKU_DAEMON_DOKKU": standIn + "/test-dokku", "PLUGIN_PATH": box.path("plugins"),
            // Also where there is a user dokku: the box is not theirs.
            "DOKKU_SYSTEM_USER": "root",
            "STAND_IN_STATE": box.path("apps"), "STAND_IN_JOURNAL": box.journal.path,
            "STAND_IN_HOLD": box.path,
        ]
    }

    /// Starts a daemon and waits until it says that it is ready. With no sockets handed over it binds its own;
    /// an empty setting is left out. `shell` is run in its process first.
    init(
        _ box: Box, sockets: [BoundSocket], settings: [String: String] = [:], arguments: [String] = [],
        shell: String = "", ready: Bool = true
    ) throws {
        self.box = box
        self.sockets = sockets
        path = sockets.first?.path ?? box.path("socket")
        let notify = box.path("notify")
        unlink(notify)
        manager = try NotifySocket(notify)
        log = try WatchedFile(box.path("log"))
        for folder in ["state", "plugins", "plugins/enabled"] where !box.has(folder) {
            _ = try box.makeFolder(folder)
        }
        var environment = Self.settings(in: box)
        environment["NOTIFY_SOCKET"] = notify
        environment.merge(settings) { _, given in given }
        environment = environment.filter { !$0.value.isEmpty }
        process = try Self.spawn(box, sockets, environment, arguments, shell)
        if ready {
            do {
                try manager.line("READY=1", from: process)
            } catch {
                throw Overdue(what: "\(error); it wrote: \((try? box.read("stderr")) ?? "nothing")")
            }
        }
    }

    /// A daemon with one activated socket, in a box of its own.
    convenience init(_ settings: [String: String] = [:]) throws {
        let box = try Box()
        try self.init(box, sockets: [BoundSocket(box.path("socket"))], settings: settings)
    }

    private static func spawn(
        _ box: Box, _ sockets: [BoundSocket], _ settings: [String: String], _ arguments: [String],
        _ shell: String
    ) throws -> Spawned {
        guard access(binary, X_OK) == 0 else { throw SystemFailure(call: "the daemon's binary \(binary)") }
        let null = try checked("open", open("/dev/null", O_RDWR | O_CLOEXEC))
        let errors = try checked(
            "open", open(box.path("stderr"), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o644))
        defer {
            close(null)
            close(errors)
        }
        var environment = settings
        var command = [binary] + arguments
        if !sockets.isEmpty {
            environment["LISTEN_FDS"] = "\(sockets.count)"
            environment["LISTEN_FDNAMES"] = sockets.map(\.name).joined(separator: ":")
        }
        // The number of the process is known only inside it.
        command = ["/bin/sh", "-c", "umask 022\n\(shell)\nLISTEN_PID=$$ exec \"$0\" \"$@\""] + command
        return try Spawned(
            command, environment: environment,
            descriptors: [null, errors, errors] + sockets.map(\.descriptor))
    }

    func connect(_ socket: String? = nil) throws -> TestClient {
        try TestClient(to: socket ?? path, owner: self)
    }

    /// One line on a connection of its own.
    func ask(_ line: String) throws -> Reply { try connect().ask(line) }

    /// Returns when the daemon has taken in everything that was ready for it by now: it serves events in the order
    /// they came, and this one comes last.
    func settle() throws { _ = try ask("commands") }

    /// The most memory the daemon has had so far, in KiB.
    func peakMemory() throws -> Int {
        let status = contents("/proc/\(process.pid)/status").text.split(separator: "\n")
        let words = status.first { $0.hasPrefix("VmHWM:") }?.split(whereSeparator: \.isWhitespace) ?? []
        guard words.count == 3, let count = Int(words[1]) else { throw Overdue(what: "VmHWM in \(status)") }
        return count
    }

    /// What the daemon wrote to its standard error.
    var errors: String { contents(box.path("stderr")).text }

    @discardableResult
    func stop() throws -> Spawned.Exit {
        process.signal(SIGTERM)
        return try process.wait()
    }

    /// Waits until the stand-in has started a command with these words.
    func started(_ words: String) throws { try box.journal.line(with: "start ", words) }

    /// The words of each command that the stand-in ran, in order.
    var ran: [String] {
        box.journal.lines.filter { $0.hasPrefix("start ") }
            .map { $0.split(separator: " ").dropFirst(2).joined(separator: " ") }
    }
}

// Some seconds of everything at once, right and wrong. What it does depends on chance, whose seed a failure names.
import Foundation
import TestSupport
import Testing

@Suite struct SoakTests {
    /// How long in seconds, and from which seed: `DOKKU_TEST_SOAK_SECONDS`, `DOKKU_TEST_SOAK_SEED`. Longer runs are
    /// for the address sanitizer: `swift build --sanitize=address --scratch-path …`, then `DOKKU_DAEMON_BINARY`.
    private static func setting(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    private func openFiles(_ daemon: DaemonProcess) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.process.pid)/fd").count
    }

    @Test func `every line is answered once and nothing is left behind`() throws {
        let box = try Box()
        let sockets = [
            try BoundSocket(box.path("socket")),
            try BoundSocket(box.path("one-shot"), name: "one-shot"),
            try BoundSocket(box.path("read-only"), name: "read-only"),
        ]
        let daemon = try DaemonProcess(
            box, sockets: sockets,
            settings: [
                "DOKKU_DAEMON_DOKKU": DaemonProcess.standIn + "/quick-dokku",
                "DOKKU_DAEMON_MAX_QUEUE": "100000",
                "DOKKU_DAEMON_MAX_LINE": "65536",
                // What the end leaves is no leak of a conversation: that shows in the memory below.
                "ASAN_OPTIONS": "quarantine_size_mb=1:detect_leaks=0",
            ])
        let seconds = Self.setting("DOKKU_TEST_SOAK_SECONDS") ?? 3
        let seed = Self.setting("DOKKU_TEST_SOAK_SEED") ?? Int.random(in: 1..<1_000_000_000)
        func soak(_ seed: Int) throws {
            let arguments = [
                "python3", DaemonProcess.client("soak.py"), box.path, "\(seed)", "\(seconds / 2)",
            ]
            print(try PipedProgram.run(arguments, patience: .seconds(120 + 20 * seconds)))
        }
        // Once for what is made once and kept.
        try soak(seed)
        let files = try openFiles(daemon)
        let memory = try Memory.resident(daemon)
        try soak(seed + 1)
        // The last connection may have been closed just now.
        try Deadline().poll("\(files) open files again") { try openFiles(daemon) <= files }
        // The allocator's own ups and downs are some megabytes; replies and inputs that stayed would be hundreds.
        #expect(try Memory.resident(daemon) - memory < 8192)
        #expect(try daemon.stop() == .status(0))
        #expect(daemon.errors == "")
    }
}

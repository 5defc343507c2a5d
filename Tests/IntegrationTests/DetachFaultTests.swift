// Detached jobs whose file cannot be used, or cannot be written, for a time.
import Foundation
import TestSupport
import Testing

@Suite struct DetachFaultTests {
    private func next(after daemon: DaemonProcess) throws -> DaemonProcess {
        try DaemonProcess(daemon.box, sockets: [BoundSocket(sharing: daemon)])
    }

    // MARK: A file that cannot be used

    @Test(arguments: ["daemon:jobs", "daemon:jobs --format json"])
    func `who asks for the jobs is told that they cannot be read`(command: String) throws {
        let box = try Box()
        _ = try box.makeFolder("state/jobs.db")
        let sockets = [
            try BoundSocket(box.path("socket")), try BoundSocket(box.path("reads"), name: "read-only"),
        ]
        let daemon = try DaemonProcess(box, sockets: sockets)
        for client in [try daemon.connect(), try daemon.connect(box.path("reads"))] {
            let answer = try client.ask(["command": .text(command)])
            #expect(answer["ok"] == false && answer["error"] == "storage_failed")
            #expect(try client.ask(command).output.contains("no regular file"))
        }
        #expect(try daemon.ask("daemon:queue") == .good(""))
        try FileManager.default.removeItem(atPath: box.path("state/jobs.db"))
        #expect(try daemon.ask("test:args on") == .good("<on>"))
    }

    @Test func `no number is used twice if the file can be opened only later`() throws {
        let daemon = try DaemonProcess()
        for number in 1...3 { #expect(try daemon.submit("test:args", "\(number)") == number) }
        #expect(try daemon.ask("daemon:wait 3").ok)
        #expect(try daemon.stop() == .status(0))
        let box = daemon.box
        try FileManager.default.moveItem(atPath: box.path("state/jobs.db"), toPath: box.path("kept"))
        _ = try box.makeFolder("state/jobs.db")
        let second = try next(after: daemon)
        let fifo = try box.fifo()
        let client = try second.connect()
        try client.send(["command": ["test:block", .text(fifo.path)], "stream": true])
        let ordinary = try #require(try client.answer()["job"]?.number)
        try FileManager.default.removeItem(atPath: box.path("state/jobs.db"))
        try FileManager.default.moveItem(atPath: box.path("kept"), toPath: box.path("state/jobs.db"))
        try Deadline().poll("the file") { (try? second.ask("daemon:wait 1").ok) == true }
        let late = Double(try second.submit("test:args", "late"))
        #expect(Set([1, 2, 3, ordinary, late]).count == 5)
        #expect(try second.ask(["command": "daemon:wait \(Int(ordinary))"])["error"] == "unknown_job")
        try fifo.release()
        #expect(try second.ask("daemon:wait \(Int(late))") == .good("<late>"))
    }

    // MARK: A file that cannot be written

    /// How long files of the daemon may be. `0` makes each write fail.
    private func limitFiles(of daemon: DaemonProcess, to size: String) throws {
        _ = try PipedProgram.run(
            ["/usr/bin/prlimit", "--pid", "\(daemon.process.pid)", "--fsize=\(size):"])
    }

    @Test func `a cancel that holds is written first`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], shell: "trap '' XFSZ")
        let fifo = try box.fifo()
        #expect(try daemon.submit("test:block", fifo.path) == 1)
        try box.journal.line(with: "held ")
        for number in 2...4 { #expect(try daemon.submit("test:args", "\(number)") == number) }
        try limitFiles(of: daemon, to: "0")
        #expect(try daemon.ask(["command": "daemon:cancel 2"])["error"] == "storage_failed")
        #expect(try !daemon.ask("daemon:cancel 3").ok)
        #expect(try daemon.queue().count == 4)
        try limitFiles(of: daemon, to: "unlimited")
        #expect(try daemon.ask("daemon:cancel 3").ok)
        daemon.process.signal(SIGKILL)
        _ = try daemon.process.wait()
        let second = try next(after: daemon)
        #expect(try second.ask(["command": "daemon:wait 3"])["error"] == "cancelled")
        try fifo.release()
        #expect(try second.ask("daemon:wait 2") == .good("<2>"))
        #expect(try second.ask("daemon:wait 4") == .good("<4>"))
        #expect(second.ran.dropFirst() == ["test:args 2", "test:args 4"])
    }
}

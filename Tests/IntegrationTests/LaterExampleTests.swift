// The examples that come back later: over their own end, and over that of the daemon.
import CEpollShim
import Foundation
import TestSupport
import Testing

@Suite struct LaterExampleTests {
    private static let programs = ["later.py", "later.js", "later.sh"]

    private func run(_ name: String, _ words: String..., socket: String) throws -> ProgramResult {
        try PipedProgram.example(name, words, socket: socket).finish()
    }

    private func next(after daemon: DaemonProcess) throws -> DaemonProcess {
        try DaemonProcess(daemon.box, sockets: [BoundSocket(sharing: daemon)])
    }

    /// Programs that wait for jobs, once they have all asked.
    private func waiters(_ name: String, _ jobs: Int..., daemon: DaemonProcess) throws -> [PipedProgram] {
        let programs = try jobs.map {
            try PipedProgram.example(name, ["wait", "\($0)"], socket: daemon.path)
        }
        let asker = try daemon.connect()
        try Deadline().poll("\(jobs.count) connections besides this one") {
            let status = try? asker.ask("daemon:status").output
            return status?.contains("connections: \(jobs.count + 1)\n") == true
        }
        return programs
    }

    @Test(arguments: programs) func `the result is still there on another day`(name: String) throws {
        let daemon = try DaemonProcess()
        let submitted = try run(name, "submit", "test:both", "2", socket: daemon.path)
        #expect(submitted == ProgramResult(output: "1\n", exit: .status(0)))
        #expect(
            try run(name, "submit", "test:exit", "3", socket: daemon.path)
                == ProgramResult(output: "2\n", exit: .status(0)))
        #expect(try !daemon.ask("daemon:wait 2").ok)
        #expect(try daemon.stop() == .status(0))
        let second = try next(after: daemon)
        let result = try run(name, "wait", "1", socket: second.path)
        #expect(result.exit == .status(0))
        #expect(Set(result.output.split(separator: "\n")) == ["out 0", "out 1", "err 0", "err 1"])
        #expect(try run(name, "wait", "2", socket: second.path).exit == .status(3))
        #expect(second.ran == ["test:both 2", "test:exit 3"])
    }

    @Test(arguments: programs) func `who waits for a job goes on with the next daemon`(name: String) throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_STOP_GRACE": "0.1"])
        let fifo = try daemon.box.fifo()
        #expect(try run(name, "submit", "test:block", fifo.path, socket: daemon.path).output == "1\n")
        try daemon.box.journal.line(with: "held ")
        #expect(try run(name, "submit", "test:args", "a \"b\" $c", socket: daemon.path).output == "2\n")
        let waiters = try waiters(name, 1, 2, daemon: daemon)
        #expect(try daemon.stop() == .status(0))
        let second = try next(after: daemon)
        // It ran, and its grace was over.
        let ended = try waiters[0].finish()
        #expect(ended.exit == .status(1) && ended.output.contains("shutting_down"), "\(ended.output)")
        let result = try waiters[1].finish()
        #expect(result.exit == .status(0) && result.output.contains("<a \"b\" $c>\n"), "\(result.output)")
        #expect(second.ran.count == 2)
    }

    @Test(arguments: programs) func `what ran at a crash is not taken for done`(name: String) throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        #expect(try run(name, "submit", "test:block", fifo.path, socket: daemon.path).output == "1\n")
        try daemon.box.journal.line(with: "held ")
        let waiter = try waiters(name, 1, daemon: daemon)[0]
        let showsAtOnce = name != "later.sh"
        if showsAtOnce { try waiter.shows("waiting") }
        daemon.process.signal(SIGKILL)
        _ = try daemon.process.wait()
        let second = try next(after: daemon)
        let result = try waiter.finish()
        #expect(result.exit == .status(255) && result.output.contains("interrupted"), "\(result.output)")
        // Once, although the second answer has all of the output, too.
        #expect(result.output.contains("waiting\n") != showsAtOnce, "\(result.output)")
        #expect(second.ran.count == 1)
        try fifo.release()
    }

    @Test(arguments: programs) func `a daemon that is away is waited for`(name: String) throws {
        let daemon = try DaemonProcess(Box(), sockets: [])
        #expect(try run(name, "submit", "test:args", "a", socket: daemon.path).output == "1\n")
        #expect(try daemon.ask("daemon:wait 1").ok)
        try daemon.stop()
        let waiter = try PipedProgram.example(name, ["wait", "1"], socket: daemon.path)
        try waiter.shows("Asking again")
        let second = try DaemonProcess(daemon.box, sockets: [])
        let result = try waiter.finish()
        #expect(result.exit == .status(0) && result.output.hasSuffix("<a>\n"), "\(result.output)")
        #expect(second.ran.count == 1)
    }

    @Test(arguments: programs) func `what is refused is said`(name: String) throws {
        let daemon = try DaemonProcess()
        let unknown = try run(name, "wait", "7", socket: daemon.path)
        #expect(
            unknown.exit == .status(255) && unknown.output.hasPrefix("unknown_job: "), "\(unknown.output)")
        let refused = try run(name, "submit", "nonsense", socket: daemon.path)
        #expect(refused.exit == .status(1) && refused.output.hasPrefix("invalid_command: "))
        let invalid = try run(name, "wait", "seven", socket: daemon.path)
        #expect(invalid.exit == .status(1) && invalid.output.hasPrefix("invalid_request: "))
        #expect(daemon.ran.isEmpty)
    }

    @Test(arguments: programs) func `a job that a stopping daemon refused is sent again`(name: String) throws
    {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        let client = try PipedProgram.example(name, ["submit", "apps:list"], socket: socket.path)
        client.endInput()
        for answer in [#"{"ok":false,"error":"shutting_down","output":"why"}"#, #"{"ok":true,"job":12}"#] {
            try Deadline().wait(socket.descriptor, what: "a connection")
            let connection = Stream(owning: try checked("accept", shim_accept(socket.descriptor)))
            #expect(try JSON(connection.line() ?? []) == ["command": ["apps:list"], "detach": true])
            try writeAll(Array((answer + "\n").utf8), to: connection.descriptor)
        }
        let result = try client.finish()
        #expect(result.exit == .status(0) && result.output.hasSuffix("12\n"), "\(result.output)")
    }
}

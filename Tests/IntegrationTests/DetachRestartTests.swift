// Detached jobs over the end of a daemon: what waits runs in the next one, what ran is not run again, and what has ended
// is still there.
import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct DetachRestartTests {
    private func next(after daemon: DaemonProcess, _ settings: [String: String] = [:]) throws -> DaemonProcess
    {
        try DaemonProcess(daemon.box, sockets: [BoundSocket(sharing: daemon)], settings: settings)
    }

    private func end(_ daemon: DaemonProcess, _ signal: Int32) throws {
        daemon.process.signal(signal)
        _ = try daemon.process.wait()
    }

    @Test(arguments: [SIGTERM, SIGKILL]) func `what waits runs after the next start in its order and once`(
        signal: Int32
    ) throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_STOP_GRACE": "0.1"])
        let fifo = try daemon.box.fifo()
        #expect(try daemon.submit("test:block", fifo.path) == 1)
        try daemon.box.journal.line(with: "held ")
        for number in 2...5 { #expect(try daemon.submit("test:args", "\(number)") == number) }
        let client = try daemon.connect()
        try client.order(#"{"command":"test:stdin","detach":true,"stdin":"kept"}"#)
        #expect(try client.answer()["job"] == 6)
        try end(daemon, signal)
        let second = try next(after: daemon)
        if signal == SIGKILL {
            // What it left behind still runs, and holds the lock.
            #expect(try second.ask("daemon:queue").output.contains("2 waiting"))
            try fifo.release()
        }
        #expect(try second.ask("daemon:wait 6") == .good("kept"))
        let answer = try second.ask(["command": "daemon:wait 1"])
        #expect(answer["error"] == (signal == SIGKILL ? "interrupted" : "shutting_down"))
        #expect(answer["output"] == "waiting" && answer["ok"] == false)
        #expect(
            second.ran.dropFirst() == [
                "test:args 2", "test:args 3", "test:args 4", "test:args 5", "test:stdin",
            ])
        #expect(try second.submit("apps:list") == 7)
    }

    @Test func `what ran at a crash is told apart in each form`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        #expect(try daemon.submit("test:block", fifo.path) == 1)
        try daemon.box.journal.line(with: "held ")
        let asker = try daemon.connect()
        try asker.send(["id": 1, "command": "daemon:wait 1", "stream": true])
        #expect(try asker.answer()["data"] == "waiting\n")
        try end(daemon, SIGKILL)
        let second = try next(after: daemon)
        let plain = try second.ask("daemon:wait 1")
        #expect(!plain.ok && plain.output.hasPrefix("waiting\nThe daemon ended while the command ran"))
        let streamed = try second.stream(["command": "daemon:wait 1", "stream": true])
        #expect(streamed.text("stdout") == "waiting\n" && streamed.end["error"] == "interrupted")
        #expect(streamed.end["job"] == 1)
        try fifo.release()
        #expect(second.ran.count == 1)
    }

    @Test func `results outlive the daemon`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.submit("test:both", "2") == 1)
        let before = try daemon.ask(["command": "daemon:wait 1", "encoding": "base64"])
        #expect(try daemon.stop() == .status(0))
        let second = try next(after: daemon)
        #expect(try second.ask(["command": "daemon:wait 1", "encoding": "base64"]) == before)
        #expect(try second.ask("daemon:forget 1").ok)
        #expect(try second.submit("apps:list") == 2)
        #expect(try second.ask("daemon:wait 2").ok)
        #expect(try second.ask("daemon:forget 2").ok)
        #expect(try second.stop() == .status(0))
        let third = try next(after: second)
        #expect(try third.submit("apps:list") == 3)
    }

    @Test func `the words of what is taken over count as those of others`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        #expect(try daemon.submit("test:block", fifo.path) == 1)
        try daemon.box.journal.line(with: "held ")
        let word = String(repeating: "x", count: 8000)
        for number in 2...13 { #expect(try daemon.submit("test:args", word) == number) }
        try end(daemon, SIGKILL)
        // Less than they need. They run all the same.
        let second = try next(
            after: daemon, ["DOKKU_DAEMON_MAX_BUFFER": "80000", "DOKKU_DAEMON_MAX_LINE": "10000"])
        #expect(try second.ask(["command": "test:args a"])["error"] == "queue_full")
        #expect(try second.queue().count == 12)
        try fifo.release()
        try second.box.journal.wait("the end of all") { lines in
            lines.filter { $0.hasPrefix("end ") && $0.hasSuffix(" 0") }.count == 13 ? true : nil
        }
        #expect(try second.ask("daemon:wait 13") == .good("<\(word)>"))
        #expect(try second.ask("test:args a") == .good("<a>"))
    }

    @Test func `who waits is told that the daemon stops`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        #expect(try daemon.submit("test:block", fifo.path) == 1)
        try daemon.box.journal.line(with: "held ")
        #expect(try daemon.submit("apps:list") == 2)
        let running = try daemon.connect()
        try running.send(["id": 1, "command": "daemon:wait 1"])
        let waiting = try daemon.connect()
        try waiting.send("daemon:wait 2\n")
        try daemon.settle()
        daemon.process.signal(SIGTERM)
        #expect(try waiting.reply() == .bad("The daemon is stopping"))
        try fifo.release()
        #expect(try running.answer()["output"] == "waiting\ndone")
        #expect(try daemon.process.wait() == .status(0))
    }

    @Test func `an output that is not whole any more is no success`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.submit("test:args", "a") == 1)
        #expect(try daemon.ask("daemon:wait 1") == .good("<a>"))
        #expect(try daemon.stop() == .status(0))
        let script =
            "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('DELETE FROM piece'); d.commit()"
        _ = try PipedProgram.run(
            ["/usr/bin/python3", "-c", script, daemon.box.path("state/jobs.db")], input: "")
        let second = try next(after: daemon)
        let answer = try second.ask(["command": "daemon:wait 1"])
        #expect(answer["ok"] == false && answer["error"] == "output_truncated" && answer["exit_status"] == 0)
        #expect(try !second.ask("daemon:output 1").ok)
    }

    @Test func `only the daemon's user can read what is kept`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.submit("apps:list") == 1)
        #expect(try daemon.ask("daemon:wait 1").ok)
        for name in try FileManager.default.contentsOfDirectory(atPath: daemon.box.path("state"))
        where name.hasPrefix("jobs") {
            var status = stat()
            #expect(
                stat(daemon.box.path("state/\(name)"), &status) == 0 && status.st_mode & 0o777 == 0o600,
                "\(name)")
        }
    }

    @Test func `what was forgotten just before a stop is not in the files`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.submit("test:big", "6000000") == 1)
        #expect(try daemon.ask("daemon:wait 1").ok)
        #expect(try daemon.ask("daemon:forget 1").ok)
        try end(daemon, SIGTERM)
        for name in ["state/jobs.db", "state/jobs.db-wal"] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: daemon.box.path(name)))
            #expect(bytes.range(of: Data(repeating: UInt8(ascii: "x"), count: 100)) == nil, "\(name)")
        }
    }
}

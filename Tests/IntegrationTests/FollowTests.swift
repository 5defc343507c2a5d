// Commands that never end: beside the queue, as long as somebody listens.
import Glibc
import TestSupport
import Testing

@Suite struct FollowTests {
    /// A client that follows what a test writes to its FIFO, as `logs APP -t` follows an app.
    private func follow(_ daemon: DaemonProcess, _ fifo: Fifo) throws -> TestClient {
        let client = try daemon.connect()
        try client.order(#"{"id":1,"command":["logs","\#(fifo.path)","-t"],"stream":true}"#)
        #expect(try client.answer()["event"] == .text("started"))
        return client
    }

    @Test func `a follower neither waits for the queue nor holds it`() throws {
        let daemon = try DaemonProcess()
        let (logs, block) = (try daemon.box.fifo("logs"), try daemon.box.fifo("block"))
        let blocker = try daemon.connect()
        try blocker.send("test:block \(block.path)\n")
        try daemon.box.journal.line(with: "held ")
        let follower = try follow(daemon, logs)
        try logs.say("first")
        #expect(try follower.answer()["data"] == .text("first\n"))
        try block.release()
        #expect(try blocker.reply().ok)
        #expect(try daemon.ask("apps:create a").ok)
        let own = try checked("open", open(daemon.box.path("lock"), O_RDWR | O_CLOEXEC))
        defer { close(own) }
        #expect(flock(own, LOCK_EX | LOCK_NB) == 0)
        try logs.say("second")
        #expect(try follower.answer()["data"] == .text("second\n"))
        try logs.say("end")
        #expect(try follower.events().last?["ok"] == .bool(true))
    }

    @Test func `a follower ends with its client`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        do { _ = try follow(daemon, fifo) }
        try daemon.log.line(with: "[res] #1", "SIGTERM")
        #expect(try daemon.ask("daemon:queue") == .good(""))
    }

    @Test func `a follower whose client left before the start does not start`() throws {
        let daemon = try DaemonProcess()
        let (logs, block) = (try daemon.box.fifo("logs"), try daemon.box.fifo("block"))
        do {
            let client = try daemon.connect()
            try client.send("test:block \(block.path)\n")
            try daemon.box.journal.line(with: "held ")
            try client.order(#"{"command":["logs","\#(logs.path)","-t"],"stream":true}"#)
        }
        try daemon.settle()
        try block.release()
        try daemon.log.line(with: "[res] #2")
        #expect(daemon.ran == ["test:block \(block.path)"])
    }

    @Test func `a follower ends by cancel`() throws {
        let daemon = try DaemonProcess()
        let client = try follow(daemon, try daemon.box.fifo())
        #expect(try daemon.ask("daemon:queue").output.hasPrefix("1 "))
        #expect(try daemon.ask("daemon:cancel 1").ok)
        let end = try #require(try client.events().last)
        #expect(
            end["error"] == .text("cancelled") && end["signal"] == .text("SIGTERM")
                && end["job"] == .number(1))
    }

    @Test func `a follower ends with the daemon`() throws {
        let daemon = try DaemonProcess()
        let client = try follow(daemon, try daemon.box.fifo())
        daemon.process.signal(SIGTERM)
        #expect(try client.events().last?["error"] == .text("shutting_down"))
        #expect(try client.ends())
        #expect(try daemon.process.wait() == .status(0))
    }

    @Test func `a limited number of followers run at once`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_FOLLOW": "2"])
        let fifos = try ["a", "b"].map { try daemon.box.fifo($0) }
        let clients = try fifos.map { try follow(daemon, $0) }
        let third = try daemon.connect()
        try third.order(#"{"command":"events -t","stream":true}"#)
        #expect(try third.answer()["error"] == .text("queue_full"))
        try fifos[0].say("end")
        #expect(try clients[0].events().last?["ok"] == .bool(true))
        try third.order(#"{"command":"logs \#(fifos[0].path) -t","stream":true}"#)
        #expect(try third.answer()["event"] == .text("started"))
        withExtendedLifetime(clients) {}
    }

    /// More than anybody can read is not read: neither memory nor the disk fills up.
    @Test func `a flood stays in its pipe`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_SPOOL": "4000000"])
        #expect(try daemon.ask("commands").ok)
        let before = try daemon.peakMemory()
        let client = try daemon.connect()
        try client.order(#"{"command":"events -t","stream":true}"#)
        #expect(try client.answer()["event"] == .text("started"))
        let other = try daemon.connect()
        for number in 0..<50 { #expect(try other.ask("test:args \(number)").ok) }
        // It goes on where it was, and nothing is missing.
        var text = ""
        while text.utf8.count < 8_000_000 { text += try client.answer()["data"]?.text ?? "?" }
        #expect(text.split(separator: "\n").dropLast().allSatisfy { $0 == "an event, and another one" })
        #expect(try daemon.peakMemory() - before < 8192)
    }

    /// Whoever holds the spool: a follower that reads gets all there is, at its own pace.
    @Test func `a full spool makes a follower wait and does not silence it`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_SPOOL": "100000"])
        let deaf = try daemon.connect()
        try deaf.send("test:big 4000000\n")
        try daemon.box.journal.line(with: "end ", " 0")
        let client = try daemon.connect()
        try client.order(#"{"command":"events -t","stream":true}"#)
        #expect(try client.answer()["event"] == .text("started"))
        for number in 0..<20 { #expect(try daemon.ask("test:args \(number)").ok) }
        var text = ""
        while text.utf8.count < 4_000_000 { text += try client.answer()["data"]?.text ?? "?" }
        #expect(text.split(separator: "\n").dropLast().allSatisfy { $0 == "an event, and another one" })
        withExtendedLifetime(deaf) {}
    }

    /// One that will not end before it has written all it has does not hang in a pipe that nobody reads.
    @Test func `a follower's pipe is read after its client has left`() throws {
        let box = try Box()
        let script = """
            #!/bin/bash
            [ "$1" = logs ] || exec "\(DaemonProcess.standIn)/test-dokku" "$@"
            trap '' TERM
            head -c 5000000 /dev/zero | tr '\\0' x
            echo "end $$ wrote all" >>"$STAND_IN_JOURNAL"

            """
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))],
            settings: [
                "DOKKU_DAEMON_DOKKU": try box.write(script, to: "dokku", mode: 0o755),
                "DOKKU_DAEMON_KILL_GRACE": "1000",
            ])
        do {
            let client = try daemon.connect()
            try client.order(#"{"command":"logs a -t","stream":true}"#)
            #expect(try client.answer()["event"] == .text("started"))
            // More than the socket holds: from here on it waits.
            for number in 0..<20 { #expect(try daemon.ask("test:args \(number)").ok) }
        }
        try box.journal.line(with: "wrote all")
        try daemon.log.line(with: "[res] #1", "cancelled")
        #expect(try daemon.ask("daemon:queue") == .good(""))
    }

    /// Its last words, which it left in its pipe while nobody read, are not lost with it.
    @Test func `a follower that ends by itself is read to its end`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_DRAIN_GRACE": "0.1"])
        let file = try daemon.box.write([UInt8](repeating: 0x78, count: 1_900_000), to: "said")
        let client = try daemon.connect()
        try client.order(#"{"command":"logs \#(file) -t","stream":true}"#)
        try daemon.log.line(with: "[res] #1")
        let outcome = try client.outcome()
        #expect(outcome.text("stdout").utf8.count == 1_900_000)
        #expect(outcome.end["ok"] == true)
    }

    @Test func `a command without the flag waits as any other`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("apps:create a").ok)
        let answer = try daemon.connect().request(#"{"command":"logs a","strip_ansi":true}"#)
        #expect(answer["output"]?.text?.hasPrefix("app[web.1]: request 1") == true)
    }

    /// Behind the build that it is to cancel it would be of no use.
    @Test func `a build is cancelled without waiting`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let blocker = try daemon.connect()
        try blocker.send("test:block \(fifo.path)\n")
        try daemon.box.journal.line(with: "held ")
        #expect(try daemon.ask("builds:cancel app").ok)
        try fifo.release()
        #expect(try blocker.reply().ok)
    }

    @Test func `a follower whose client has left has not failed`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        do { _ = try follow(daemon, fifo) }
        try daemon.log.line(with: "[res] #1", "SIGTERM")
        #expect(try daemon.ask("daemon:status").output.contains("\ncommands run: 1\ncommands failed: 0\n"))
        #expect(try daemon.ask("test:exit 3").ok == false)
        #expect(try daemon.ask("daemon:status").output.contains("\ncommands run: 2\ncommands failed: 1\n"))
    }
}

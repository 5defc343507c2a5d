// Detached jobs and those who ask for them when there is much of everything: nobody is lost, mixed up or kept for nothing.
import TestSupport
import Testing

@Suite struct DetachLoadTests {
    @Test func `who waits for a job is charged for its memory`() throws {
        let (daemon, fifo) = try DaemonProcess.withDetachedJob([
            "DOKKU_DAEMON_MAX_BUFFER": "100000", "DOKKU_DAEMON_MAX_LINE": "10000",
        ])
        let client = try daemon.connect()
        let id = JSON.text(String(repeating: "i", count: 4000))
        for _ in 0..<30 { try client.send(["id": id, "command": "daemon:wait 1"]) }
        // Each needs a little more than its id, and a client gets half of the room.
        for _ in 0..<20 { #expect(try client.answer()["error"] == "queue_full") }
        try fifo.release()
        var ends: [JSON?] = []
        for _ in 0..<10 { ends.append(try client.answer()["error"]) }
        #expect(ends.contains(nil))
        #expect(try client.ask(["id": id, "command": "daemon:wait 1"])["output"] == "waiting\ndone")
    }

    @Test func `the requests of a client keep their order while an input is taken in`() throws {
        let (daemon, fifo) = try DaemonProcess.withDetachedJob()
        let count = 3_000_000
        let client = try daemon.connect()
        try client.order(#"{"id":2,"command":"test:digest","detach":true,"stdin_length":\#(count)}"#)
        try client.send(String(repeating: "x", count: count))
        for id in 3...4 { try client.order(#"{"id":\#(id),"command":"test:args \#(id)","detach":true}"#) }
        try client.order(#"{"id":5,"command":"test:args 5"}"#)
        for id in 2...4 { #expect(try client.line() == #"{"id":\#(id),"ok":true,"job":\#(id)}"#) }
        try fifo.release()
        #expect(try client.answer()["output"] == "<5>")
        #expect(daemon.ran.dropFirst() == ["test:digest", "test:args 3", "test:args 4", "test:args 5"])
    }

    @Test func `a client that leaves when its request is complete has its job`() throws {
        let (daemon, fifo) = try DaemonProcess.withDetachedJob()
        let count = 3_000_000
        var client: TestClient? = try daemon.connect()
        try client?.order(#"{"command":"test:digest","detach":true,"stdin_length":\#(count)}"#)
        try client?.send(String(repeating: "x", count: count))
        client = nil
        try fifo.release()
        try daemon.started("test:digest")
        let expected = try PipedProgram.run(
            ["/usr/bin/sha256sum"], input: String(repeating: "x", count: count)
        ).prefix(64)
        #expect(try daemon.ask("daemon:wait 2") == .good(String(expected)))
    }

    @Test func `a one-shot client is answered after its detached job was taken`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(
            box, sockets: [try BoundSocket(box.path("socket"), name: "one-shot,raw-words")])
        #expect(try daemon.ask("daemon:submit test:args a") == .good("1"))
        let client = try daemon.connect()
        try client.send("daemon:submit test:args b\ndaemon:submit test:args c\n")
        #expect(try client.reply() == .good("2"))
        #expect(try client.ends())
        #expect(try daemon.ask("daemon:wait 2") == .good("<b>"))
        #expect(daemon.ran == ["test:args a", "test:args b"])
    }

    @Test func `hundreds of askers get the whole output`() throws {
        let (daemon, fifo) = try DaemonProcess.withDetachedJob()
        #expect(try daemon.ask("daemon:submit test:big 200000") == .good("2"))
        let askers = try (0..<200).map { index in
            let client = try daemon.connect()
            if index % 2 == 0 {
                try client.send("daemon:wait 2\n")
            } else {
                try client.send(["command": "daemon:wait 2", "stream": .bool(index % 4 == 1)])
            }
            return client
        }
        try daemon.settle()
        try fifo.release()
        for (index, client) in askers.enumerated() {
            let output: Int?
            if index % 2 == 0 {
                output = try client.reply().output.utf8.count
            } else if index % 4 == 1 {
                output = try client.outcome().text("stdout").utf8.count
            } else {
                output = try client.answer()["output"]?.text?.utf8.count
            }
            #expect(output == 200_000)
        }
    }

    @Test func `the list of jobs changes with the jobs`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("daemon:jobs") == .good(""))
        #expect(try daemon.submit("test:args", "a") == 1)
        #expect(try daemon.ask("daemon:wait 1").ok)
        for _ in 0..<2 { #expect(try daemon.ask("daemon:jobs").output.hasPrefix("1 ended at ")) }
        #expect(try daemon.ask("daemon:forget 1").ok)
        for format in ["text", "json"] {
            let command = format == "text" ? "daemon:jobs" : "daemon:jobs --format json"
            #expect(try daemon.ask(command) == .good(format == "text" ? "" : "[]"))
        }
    }
}

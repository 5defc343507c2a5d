// Every error word of the protocol, each brought about for real.
import Glibc
import TestSupport
import Testing

@Suite struct ErrorCodeTests {
    private let list: JSON = ["id": 7, "command": ["apps:list"]]

    private func expect(_ answer: JSON, _ code: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(answer["ok"] == false && answer["error"]?.text == code, sourceLocation: sourceLocation)
        #expect(answer["id"] == 7, sourceLocation: sourceLocation)
        #expect(answer["output"]?.text?.isEmpty == false, sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        ("invalid_command", ["nonsense"]), ("invalid_command", ["apps:../../bin/echo", "x"]),
        ("invalid_command", ["git-receive-pack", "x"]), ("invalid_command", ["--quiet"]),
        ("requires_force", ["apps:destroy", "app"]), ("requires_force", ["storage:destroy", "x"]),
        ("requires_stdin", ["certs:generate", "app", "x"]), ("requires_stdin", ["config:import", "app"]),
        ("not_supported", ["shell"]), ("not_supported", ["logs", "app", "-t"]),
        ("not_supported", ["events", "-t"]),
        ("invalid_request", ["daemon:cancel"]), ("invalid_request", ["daemon:cancel", "99"]),
        ("invalid_request", ["daemon:version", "x"]),
    ]) func `a line that is refused does not run`(code: String, words: [String]) throws {
        let daemon = try DaemonProcess()
        expect(try daemon.ask(["id": 7, "command": .list(words.map(JSON.text))]), code)
        #expect(daemon.ran == [])
    }

    @Test func `a read-only socket answers denied`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"), name: "read-only")])
        expect(try daemon.ask(["id": 7, "command": ["apps:create", "x"]]), "denied")
    }

    @Test func `a long line answers line_too_long`() throws {
        let client = try DaemonProcess(["DOKKU_DAEMON_MAX_LINE": "1000"]).connect()
        // Of what is too long nothing is kept, its id neither.
        try client.send(
            "{\"id\":7,\"stdin\":\"\(String(repeating: "x", count: 1000))\",\"command\":\"apps:list\"}\n")
        #expect(try client.answer()["error"] == "line_too_long")
    }

    @Test func `the possible input of a lost line is not run`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_LINE": "1000"])
        let client = try daemon.connect()
        let words = String(repeating: "x", count: 1000)
        try client.send(
            "{\"command\":[\"test:keep\",\"\(words)\"],\"stdin_length\":15}\napps:create evil\n")
        #expect(try client.answer()["error"] == "line_too_long")
        #expect(try client.ends())
        #expect(daemon.ran == [])
    }

    @Test func `a long input answers input_too_long`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_INPUT": "1000"])
        let client = try daemon.connect()
        let text = String(repeating: "x", count: 1001)
        expect(
            try client.ask(["id": 7, "command": ["test:stdin"], "stdin": .text(text)]), "input_too_long")
        try client.send("{\"id\":7,\"command\":[\"test:stdin\"],\"stdin_length\":1001}\n\(text)")
        expect(try client.answer(), "input_too_long")
        // The body was skipped: what follows it is the next request.
        let exact = String(repeating: "y", count: 1000)
        try client.send("{\"id\":7,\"command\":[\"test:stdin\"],\"stdin_length\":1000}\n\(exact)")
        #expect(try client.answer()["output"]?.text == exact)
    }

    @Test func `a full queue answers queue_full`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_QUEUE": "2", "DOKKU_DAEMON_MAX_FOLLOW": "1"])
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send(["command": ["test:block", .text(fifo.path)]])
        try daemon.started("test:block")
        for _ in 0..<2 { try client.send(["command": ["test:args", "x"]]) }
        expect(try client.ask(list), "queue_full")
        try fifo.release()
        #expect(try client.answer()["output"] == "waiting\ndone")
        for _ in 0..<2 { #expect(try client.answer()["output"] == "<x>") }
        let follow: JSON = ["id": 7, "command": ["logs", .text(fifo.path), "-t"], "stream": true]
        try client.send(follow)
        #expect(try client.answer()["event"] == "started")
        let refused = try daemon.stream(follow)
        #expect(refused.events == [])
        expect(refused.end, "queue_full")
        #expect(try client.ask(list)["exit_status"] == 0)
    }

    @Test func `one connection too many answers too_many_connections`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_CONNECTIONS": "1"])
        let first = try daemon.connect()
        #expect(try first.ask(list)["exit_status"] == 0)
        for request in [list, ["id": 7, "command": ["apps:list"], "stream": true]] as [JSON] {
            let second = try daemon.connect()
            try second.send(request)
            let answer = try second.answer()
            expect(answer, "too_many_connections")
            #expect(answer["event"] == (request["stream"] == nil ? nil : "end"))
            #expect(try second.ends())
        }
        // Who says nothing, or does not end its line, is answered all the same.
        for (sent, isPlain) in [
            ("", true), ("apps:li", true), ("  {\"id\"", false), ("{\"id\":7}\n{}\n", false),
        ] {
            let other = try daemon.connect()
            try other.send(sent)
            if isPlain {
                #expect(try other.reply() == .bad("Too many connections"))
            } else {
                #expect(try other.answer()["error"] == "too_many_connections")
            }
            #expect(try other.ends())
        }
        let silent = try daemon.connect()
        silent.halfClose()
        #expect(try silent.reply() == .bad("Too many connections"))
        #expect(try silent.ends())
        #expect(try first.ask(list)["exit_status"] == 0)
    }

    @Test func `a full buffer answers buffer_full`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_BUFFER": "10000"])
        let client = try daemon.connect()
        try client.send("{\"id\":7,\"command\":\"test:args\",\"stdin\":\"")
        try client.send(String(repeating: "x", count: 10_000))
        try daemon.settle()
        try client.send("\"}\n")
        // Of what was dropped nothing is kept, its id neither.
        let answer = try client.answer()
        #expect(answer["error"] == "buffer_full")
        #expect(answer["output"]?.text?.contains("bytes") == false)
        #expect(try client.ends())
    }

    @Test func `a return is no part of a line`() throws {
        let client = try DaemonProcess(["DOKKU_DAEMON_MAX_LINE": "20"]).connect()
        #expect(try client.ask("test:args 0123456789\r") == .good("<0123456789>"))
        #expect(try client.ask("test:args 0123456789x\r").ok == false)
    }

    @Test func `a missing program answers spawn_failed`() throws {
        let box = try Box()
        let program = try box.write(
            "#!/bin/sh\nexec '\(DaemonProcess.standIn)/test-dokku' \"$@\"\n", to: "dokku", mode: 0o755)
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], settings: ["DOKKU_DAEMON_DOKKU": program])
        let client = try daemon.connect()
        #expect(try client.ask(list)["exit_status"] == 0)
        let huge = String(repeating: "x", count: 300_000)
        expect(try client.ask(["id": 7, "command": ["test:args", .text(huge)]]), "spawn_failed")
        rename(program, program + ".gone")
        expect(try client.ask(list), "spawn_failed")
        let streamed = try client.stream(["id": 7, "command": ["apps:list"], "stream": true])
        expect(streamed.end, "spawn_failed")
        rename(program + ".gone", program)
        #expect(try client.ask(list)["exit_status"] == 0)
    }

    @Test func `cut output answers output_truncated`() throws {
        let client = try DaemonProcess(["DOKKU_DAEMON_MAX_OUTPUT": "1000"]).connect()
        let answer = try client.ask(["id": 7, "command": ["test:big", "100000"]])
        expect(answer, "output_truncated")
        #expect(answer["output"]?.text?.count == 1000 && answer["exit_status"] == 0)
        let streamed = try client.stream(["id": 7, "command": ["test:big", "100000"], "stream": true])
        #expect(streamed.text("stdout").count == 1000)
        #expect(streamed.end["error"] == "output_truncated" && streamed.end["exit_status"] == 0)
        // What never ends is bounded by its reader instead.
        #expect(try client.ask(["id": 7, "command": ["test:big", "1000"]])["ok"] == true)
    }

    /// Each way of asking learns both: that it was ended, and that what came before was not all.
    @Test func `cut output of a cancelled command says both`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_OUTPUT": "3"])
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        let command: JSON = ["test:ignore-term", .text(fifo.path)]
        var job = 0
        func cancel() throws {
            job += 1
            try daemon.box.journal.wait("held by \(job)") { lines in
                lines.filter { $0.hasPrefix("held ") }.count == job ? true : nil
            }
            #expect(try daemon.ask("daemon:cancel \(job)").ok)
            try fifo.release()
        }
        for stream in [false, true] {
            try client.send(["id": 7, "command": command, "stream": .bool(stream)])
            try cancel()
            let outcome = try client.outcome()
            #expect(outcome.end["ok"] == false && outcome.end["error"] == "cancelled")
            #expect(outcome.end["output_truncated"] == true)
            #expect((outcome.end["output"]?.text ?? outcome.text("stdout")) == "dea")
        }
        try client.send("test:ignore-term \(fifo.path)\n")
        try cancel()
        let reply = try client.reply()
        #expect(!reply.ok)
        #expect(reply.output == "dea\nThe output was cut after 3 bytes\nThe command was cancelled")
    }

    /// All commands' output together has less room than this one needs.
    @Test func `output cut for want of room says so`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_SPOOL": "3000000"])
        let client = try daemon.connect()
        let answer = try client.ask(["id": 7, "command": ["test:big", "20000000"]])
        expect(answer, "output_truncated")
        let count = try #require(answer["output"]?.text?.count)
        #expect(count > 1_000_000 && count <= 3_000_000)
        #expect(answer["exit_status"] == 0)
        #expect(try client.ask(["id": 7, "command": ["test:big", "1400000"]])["ok"] == true)
    }

    @Test func `a stop answers shutting_down`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send(["id": 1, "command": ["test:block", .text(fifo.path)]])
        try client.send(["id": 7, "command": ["test:args"], "stream": true])
        #expect(try client.answer()["event"] == "queued")
        try daemon.started("test:block")
        daemon.process.signal(SIGTERM)
        let answer = try client.answer()
        expect(answer, "shutting_down")
        #expect(answer["event"] == "end")
        try fifo.release()
        #expect(try client.answer()["output"] == "waiting\ndone")
        #expect(try client.ends())
        #expect(try daemon.process.wait() == .status(0))
    }
}

// Input of unknown length: sent in chunks once the daemon says so, and never taken for lines.
import Glibc
import TestSupport
import Testing

@Suite struct ChunkedInputTests {
    /// Announces chunks for a command, which must be let go on.
    private func begin(_ client: TestClient, id: Int = 1, _ members: String) throws {
        try client.order("{\"id\":\(id),\(members),\"stdin_chunks\":true}")
        #expect(try client.answer() == ["id": .integer(id), "event": "continue"])
    }

    @Test func `chunks are put together`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        for chunks in [
            ["0\n"], ["3\nabc0\n"], ["1\na", "4\n\n0\n\n", "0\n"],
            ["1\n", "a", "2", "\r\n", "b", "c", "0", "\n"],
        ] {
            try begin(client, #""command":["test:stdin"],"encoding":"base64""#)
            for chunk in chunks {
                try client.send(chunk)
                try daemon.settle()
            }
            let expected = ["0\n": "", "3\nabc0\n": "YWJj", "1\na": "YQowCgo=", "1\n": "YWJj"][chunks[0]]
            #expect(try client.answer()["output"]?.text == expected)
        }
        #expect(try client.ask("test:args on") == .good("<on>"))
    }

    @Test func `a large input arrives whole`() throws {
        let client = try DaemonProcess().connect()
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ ($0 >> 9)) }
        try begin(client, #""command":["test:digest"]"#)
        var start = 0
        for size in [1, 65_536, 1_000_000, 10, 1_500_000, .max] where start < bytes.count {
            let chunk = bytes[start...].prefix(size)
            try client.send(Array("\(chunk.count)\n".utf8) + chunk)
            start += chunk.count
        }
        try client.send("0\n")
        #expect(try client.answer()["output"]?.text == PipedProgram.digest(bytes))
    }

    @Test func `events come to a streamed request`() throws {
        let client = try DaemonProcess().connect()
        try begin(client, #""command":["test:stdin"],"stream":true"#)
        try client.send("2\nab0\n")
        let outcome = try client.outcome()
        #expect(outcome.text("stdout") == "ab" && outcome.end["ok"] == true)
    }

    @Test(arguments: [
        (#"["nonsense"]"#, "invalid_command"), (#"["apps:destroy","x"]"#, "requires_force"),
        (#"["shell"]"#, "not_supported"), (#"[]"#, "invalid_request"),
    ]) func `a refused request is not told to go on`(command: String, code: String) throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try client.send("{\"id\":1,\"command\":\(command),\"stdin_chunks\":true}\n")
        let answer = try client.answer()
        #expect(answer["error"]?.text == code && answer["id"] == 1)
        // Nothing follows it.
        #expect(try client.ask("test:args on") == .good("<on>"))
        #expect(daemon.ran == ["test:args on"])
    }

    @Test func `a denied request is not told to go on`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"), name: "read-only")])
        #expect(
            try daemon.connect().request(#"{"command":"apps:create a","stdin_chunks":true}"#)["error"]
                == "denied")
    }

    @Test(arguments: [
        #""stdin":"x","stdin_chunks":true"#, #""stdin_length":0,"stdin_chunks":true"#, #""stdin_chunks":1"#,
        #""stdin_chunks":null"#, #""stdin_chunks":"true""#,
    ]) func `a request with chunks stands alone`(members: String) throws {
        let client = try DaemonProcess().connect()
        try client.send("{\"id\":1,\"command\":\"test:stdin\",\(members)}\n")
        #expect(try client.answer()["error"] == "invalid_request")
    }

    @Test func `false means the same as no key`() throws {
        let client = try DaemonProcess().connect()
        try client.send(#"{"command":"test:stdin","stdin_length":2,"stdin_chunks":false}"# + "\nab")
        #expect(try client.answer()["output"] == "ab")
        #expect(
            try client.request(#"{"command":"test:args x","stdin_chunks":false}"#)["output"] == "<x>")
    }

    @Test(arguments: ["x\n", "-1\n", "\n", "99999999999999999999\n", "123456789012345678901234567890"])
    func `a size that is none ends the connection`(size: String) throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try begin(client, #""command":["test:stdin"]"#)
        try client.send("2\nab\(size)")
        try? client.send("apps:create never\n0\n")
        let answer = try client.answer()
        #expect(answer["error"] == "invalid_request" && answer["id"] == 1)
        #expect(try client.ends())
        #expect(daemon.ran == [])
    }

    @Test func `an input that is too long is skipped to its end`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_INPUT": "1000"])
        let client = try daemon.connect()
        for (sizes, isTooLong) in [
            ([1001], true), ([600, 401], true), ([600, 400], false), ([200_000, 5], true),
        ] {
            try begin(client, #""command":["test:stdin"]"#)
            for size in sizes { try client.send("\(size)\n" + String(repeating: "\n", count: size)) }
            try client.send("0\n")
            let answer = try client.answer()
            #expect(answer["error"] == (isTooLong ? "input_too_long" : nil))
        }
        #expect(try client.ask("test:args on") == .good("<on>"))
    }

    @Test(arguments: ["", "5\nab", "5", "2\nab"])
    func `a client that stops in between runs nothing`(sent: String) throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try begin(client, #""command":["test:stdin"]"#)
        try client.send(sent)
        client.halfClose()
        #expect(try client.answer()["error"] == "invalid_request")
        #expect(try client.ends())
        do {
            let gone = try daemon.connect()
            try begin(gone, #""command":["test:stdin","gone"]"#)
            try gone.send(sent)
        }
        try daemon.log.line(with: "gone")
        #expect(daemon.ran == [])
    }

    @Test func `a stop does not wait for the rest`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try begin(client, #""command":["test:stdin"]"#)
        try client.send("5\nab")
        try daemon.settle()
        daemon.process.signal(SIGTERM)
        #expect(try client.answer(patience: .seconds(10))["error"] == "shutting_down")
        #expect(try daemon.process.wait(patience: .seconds(10)) == .status(0))
    }

    @Test func `the input is the end on a one-shot socket`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"), name: "one-shot")])
        let client = try daemon.connect()
        try begin(client, #""command":["test:stdin"]"#)
        try client.send("2\nab0\n")
        #expect(try client.answer()["output"] == "ab")
        #expect(try client.ends())
    }

    /// A name that is not known waits until the list of commands is there, and only then may the input come.
    @Test func `the list of commands is waited for`() throws {
        let box = try Box()
        let fifo = try box.fifo()
        let dokku = try box.write(
            "#!/bin/sh\n[ \"$*\" = 'help --all' ] && read line <\(fifo.path)\nexec '\(DaemonProcess.standIn)/test-dokku' \"$@\"\n",
            to: "dokku", mode: 0o755)
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], settings: ["DOKKU_DAEMON_DOKKU": dokku])
        let client = try daemon.connect()
        for command in ["test:stdin", "nonsense"] {
            try client.order("{\"id\":1,\"command\":\"\(command)\",\"stdin_chunks\":true}")
            #expect(try daemon.ask("daemon:version").ok)
            try fifo.release()
            let answer = try client.answer()
            if command == "nonsense" {
                #expect(answer["error"] == "invalid_command")
            } else {
                #expect(answer["event"] == "continue")
                try client.send("1\nx0\n")
                #expect(try client.answer()["output"] == "x")
            }
        }
        #expect(try client.ask("daemon:version").ok)
    }
}

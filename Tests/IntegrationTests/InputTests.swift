// Standard input and output to the byte, of any size.
import Foundation
import Testing

func decodeBase64(_ text: String) throws -> [UInt8] {
    guard let data = Data(base64Encoded: text) else { throw Overdue(what: "base64 in \(text.prefix(100))") }
    return Array(data)
}

@Suite struct InputTests {
    @Test func aBodyFollowsItsLine() throws {
        let daemon = try Daemon()
        let client = try daemon.connect()
        let body: [UInt8] = [0x0a, 0x00, 0xff, 0x7b, 0x0a, 0x0d, 0x1b]
        try client.order(#"{"id":1,"command":"test:stdin","stdin_length":7,"encoding":"base64"}"#)
        try client.send(body)
        #expect(try decodeBase64(client.answer()["output"]?.text ?? "?") == body)
        // In one write with the line, and with the next line behind it; an empty one; one behind another.
        let line = #"{"id":2,"command":"test:stdin","stdin_length":3}"# + "\n"
        let empty = #"{"id":3,"command":"test:stdin","stdin_length":0}"# + "\n"
        try client.send(line + "a\nb" + empty + line + "cde" + "test:args on\n")
        var answers: [JSON] = []
        for _ in 0..<4 { answers.append(try client.answer()) }
        let outputs = answers.map { $0["output"]?.text ?? "" }
        #expect(Set(outputs) == ["a\nb", "", "cde", "<on>"])
    }

    @Test func aBodyMayComeInPieces() throws {
        let daemon = try Daemon()
        let client = try daemon.connect()
        try client.order(#"{"command":"test:stdin","stdin_length":6}"#)
        for piece in ["a", "bc", "", "def"] {
            try client.send(piece)
            try daemon.settle()
        }
        #expect(try client.answer()["output"] == .text("abcdef"))
        #expect(daemon.ran == ["test:stdin"])
    }

    @Test func aBodyCutShortIsNotRun() throws {
        let daemon = try Daemon()
        let client = try daemon.connect()
        try client.order(#"{"id":5,"command":"test:stdin","stdin_length":10}"#)
        try client.send("abc")
        client.halfClose()
        let answer = try client.answer()
        #expect(answer["error"] == .text("invalid_request") && answer["id"] == .number(5))
        #expect(try client.ends())
        do {
            let leaving = try daemon.connect()
            try leaving.order(#"{"command":"test:stdin","stdin_length":10}"#)
            try leaving.send("abc")
        }
        try daemon.settle()
        #expect(daemon.ran == [])
    }

    @Test func theBodyOfWhatIsRefusedIsSkipped() throws {
        let daemon = try Daemon(["DOKKU_DAEMON_MAX_INPUT": "1000"])
        let client = try daemon.connect()
        let body = "test:args x\n"
        for (request, code) in [
            (#"{"command":"nonsense","stdin_length":12}"#, "invalid_command"),
            (#"{"command":1,"stdin_length":12}"#, "invalid_request"),
            (#"{"command":"version","nonsense":1,"stdin_length":12}"#, "invalid_request"),
            (#"{"command":"version","stdin_length":12,"stdin":"x"}"#, "invalid_request"),
            (#"{"stdin_length":12,"command":"version""#, "invalid_request"),
        ] {
            try client.send(request + "\n" + body)
            #expect(try client.answer()["error"] == .text(code), "\(request)")
        }
        try client.order(#"{"command":"test:stdin","stdin_length":5000}"#)
        try client.send(String(repeating: "y\n", count: 2500))
        #expect(try client.answer()["error"] == .text("input_too_long"))
        #expect(
            try client.request(
                #"{"command":"test:stdin","stdin":"\#(String(repeating: "z", count: 1001))"}"#)["error"]
                == .text("input_too_long"))
        #expect(try client.ask("test:args on") == .good("<on>"))
        #expect(daemon.ran == ["test:args on"])
    }

    @Test func aCommandThatDoesNotReadItsInputIsNoError() throws {
        let daemon = try Daemon()
        let client = try daemon.connect()
        for command in ["test:args a", "test:exit 3", "test:signal KILL"] {
            try client.order(#"{"command":"\#(command)","stdin_length":3000000}"#)
            try client.send([UInt8](repeating: 0x0a, count: 3_000_000))
            #expect(try client.answer()["error"] == nil)
        }
        #expect(try client.ask("test:args on") == .good("<on>"))
    }

    /// Through Python, whose base64 and whose random bytes are not ours.
    @Test func aQuarterOfAGigabyteGoesInAndOutUnchanged() throws {
        let daemon = try Daemon(["DOKKU_DAEMON_MAX_OUTPUT": "1073741824"])
        #expect(try daemon.ask("commands").ok)
        let before = try daemon.peakMemory()
        let output = try PipedProgram.run(
            ["python3", Daemon.client("echo-bytes.py"), daemon.path, "\(256 << 20)"], patience: .seconds(600))
        #expect(output == "the same\n")
        #expect(try daemon.peakMemory() - before < 4096)
    }
}

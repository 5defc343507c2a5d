// Input and output to the byte, whatever the bytes and however many, and what becomes of input that nobody reads.
import Foundation
import TestSupport
import Testing

@Suite struct ExactBytesTests {
    /// A request and the input behind it.
    private func request(_ members: String, _ input: [UInt8]) -> [UInt8] {
        Array("{\(members),\"stdin_length\":\(input.count)}\n".utf8) + input
    }

    private func noise(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    @Test(arguments: ["line", "stream"]) func `random bytes come back as they were`(form: String) throws {
        let daemon = try DaemonProcess()
        // Whatever is made once is made by now.
        #expect(
            try daemon.ask(["command": ["test:stdin"], "stdin": "x", "encoding": "base64"])["output"]
                == "eA==")
        let memory = try Memory(of: daemon)
        let client = ["python3", DaemonProcess.client("exact.py"), daemon.path]
        let output = try PipedProgram.run(client + ["\(TestSize.exact)", form], patience: .seconds(600))
        #expect(output == "\(TestSize.exact) True True 0\n")
        #expect(try memory.growth < 4096)
    }

    /// Around the size beyond which input and output go to files, and around that of a pipe.
    @Test(arguments: [0, 1, 2, 3, 65_535, 65_536, 65_537, 1_048_575, 1_048_576, 1_048_577])
    func `every size comes back`(count: Int) throws {
        let client = try DaemonProcess().connect()
        let bytes = noise(count)
        for stream in [false, true] {
            try client.send(
                request("\"command\":[\"test:stdin\"],\"encoding\":\"base64\",\"stream\":\(stream)", bytes))
            let answer = try client.outcome()
            let parts = stream ? answer.events.compactMap { $0["data"] } : [answer.end["output"] ?? nil]
            let data = parts.compactMap { $0.text.flatMap { Data(base64Encoded: $0) } }.joined()
            #expect(data.elementsEqual(bytes) && answer.end["ok"] == true)
        }
    }

    @Test func `several inputs follow each other`() throws {
        let client = try DaemonProcess().connect()
        let inputs = (1...5).map { noise($0 * 1000) }
        let digests = try inputs.map { try PipedProgram.digest($0) }
        for (id, input) in inputs.enumerated() {
            try client.send(request("\"id\":\(id),\"command\":[\"test:digest\"]", input))
        }
        for digest in digests { #expect(try client.answer()["output"]?.text == digest) }
    }

    @Test func `an input may come in pieces`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        for byte in request("\"command\":[\"test:stdin\"]", Array("{\"a\":1}\n\n\u{e9}".utf8)) {
            try client.send([byte])
            try daemon.settle()
        }
        #expect(try client.answer()["output"] == "{\"a\":1}\n\n\u{e9}")
    }

    @Test(
        arguments: [
            (["test:exit", "3"], ["exit_status": 3]), (["test:exit", "0"], ["exit_status": 0]),
            (["test:signal", "KILL"], ["exit_status": nil, "signal": "SIGKILL"]),
            (["test:head", "10"], ["exit_status": 0]), (["apps:exists", "nobody"], ["exit_status": 20]),
        ] as [([String], [String: JSON])]) func `input that nobody reads is no error`(
            words: [String], result: [String: JSON]
        ) throws
    {
        let client = try DaemonProcess().connect()
        let command = try JSON.list(words.map(JSON.text)).line
        for count in [1, 200_000, 3_000_000] {
            try client.send(request("\"command\":\(command)", [UInt8](repeating: 0x78, count: count)))
            let answer = try client.answer()
            for (key, value) in result { #expect(answer[key] == value, "\(count) bytes") }
            #expect(answer["error"] == nil)
        }
        #expect(try client.ask("daemon:version").ok)
    }

    /// The next command starts while a grandchild of this one still has the end of its input.
    @Test func `input is over with its command`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_DRAIN_GRACE": "0.1"])
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        let input = [UInt8](repeating: 0x78, count: 3_000_000)
        try client.send(request("\"command\":[\"test:grandchild\",\"\(fifo.path)\"]", input))
        #expect(try client.answer()["output"] == "done")
        #expect(try client.ask(["command": ["test:args", "x"]])["output"] == "<x>")
    }

    @Test(arguments: [
        (#""command":["nonsense"]"#, "invalid_command"),
        (#""command":["apps:destroy","x"]"#, "requires_force"),
        (#""command":["shell"]"#, "not_supported"), (#""command":[]"#, "invalid_request"),
        (#""command":["apps:list"],"other":1"#, "invalid_request"),
        (#""command":["apps:list"],"stdin":"x""#, "invalid_request"),
        (#""command":["apps:list"],"command":1"#, "invalid_request"),
        (#""command":["apps:list"],"x":{},"#, "invalid_request"),
        (#""command":["daemon:cancel","x"]"#, "invalid_request"),
    ]) func `the input of a refused request is skipped`(members: String, code: String) throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        // It looks like requests, and is none.
        let input = Array(String(repeating: "{\"command\":[\"apps:create\",\"x\"]}\n", count: 5000).utf8)
        try client.send(request(members, input))
        #expect(try client.answer()["error"]?.text == code)
        #expect(try client.ask(["id": 2, "command": ["test:args", "on"]])["id"] == 2)
        #expect(daemon.ran == ["test:args on"])
    }

    @Test func `input cut short by a half-close is not run`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try client.send(Array("{\"id\":1,\"command\":[\"test:stdin\"],\"stdin_length\":10}\n123456789".utf8))
        client.halfClose()
        let answer = try client.answer()
        #expect(answer["error"] == "invalid_request" && answer["id"] == 1)
        #expect(try client.ends())
        #expect(daemon.ran == [])
    }

    /// The last line counts where its newline is missing: then nothing can follow it.
    @Test(
        arguments: [
            (#""command":["test:stdin"],"stdin_length":0"#, nil),
            (#""command":["test:args"],"stdin":"""#, nil),
            (#""command":["test:stdin"],"stdin_length":5"#, "invalid_request"),
            (#""command":["apps:destroy","x"],"stdin_length":5"#, "requires_force"),
            (#""command":["test:stdin"],"stdin_length":5,"x":1"#, "invalid_request"),
        ] as [(String, String?)]) func `a line with input may be the last`(members: String, code: String?)
        throws
    {
        let client = try DaemonProcess().connect()
        try client.send("{\"id\":1,\(members)}")
        client.halfClose()
        let answer = try client.answer()
        #expect(answer["id"] == 1 && answer["error"]?.text == code)
        #expect(try client.ends())
    }

    @Test func `input cut short by a close is not run`() throws {
        let daemon = try DaemonProcess()
        // A name that is refused is logged where it is known to be one.
        #expect(try daemon.ask("commands").ok)
        do {
            let client = try daemon.connect()
            try client.send(["command": ["test:args", "before"]])
            try client.send(Array("{\"command\":[\"test:stdin\"],\"stdin_length\":10}\n123".utf8))
        }
        try daemon.log.line(with: "test:stdin")
        #expect(try daemon.ask(["command": ["test:args", "after"]])["ok"] == true)
        #expect(daemon.ran == ["test:args before", "test:args after"])
    }

    /// More open connections' inputs than there is room for: an error for who comes late, and room again after. Nobody
    /// gets more than half of what is free.
    @Test func `the room for inputs is bounded`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_SPOOL": "6000000"])
        let first = try daemon.connect()
        try first.send(Array("{\"command\":[\"test:digest\"],\"stdin_length\":2500000}\n".utf8))
        try first.send([UInt8](repeating: 0, count: 2_499_999))
        try daemon.settle()
        let second = try daemon.connect()
        let input = [UInt8](repeating: 0, count: 2_500_000)
        try second.send(request("\"command\":[\"test:digest\"]", input))
        #expect(try second.answer()["error"] == "input_too_long")
        try first.send([0])
        #expect(try first.answer()["ok"] == true)
        try second.send(request("\"command\":[\"test:digest\"]", input))
        #expect(try second.answer()["ok"] == true)
    }

    @Test func `spool files have no names and are gone afterwards`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try client.send(request("\"command\":[\"test:stdin\"],\"encoding\":\"base64\"", noise(3_000_000)))
        #expect(try client.answer()["ok"] == true)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: daemon.box.path("state")).allSatisfy {
                !$0.contains("spool")
            })
        let folder = "/proc/\(daemon.process.pid)/fd"
        try daemon.settle()
        let open = try FileManager.default.contentsOfDirectory(atPath: folder)
            .compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
        #expect(!open.contains { $0.hasPrefix(daemon.box.path("state")) && $0.hasSuffix(" (deleted)") })
    }
}

extension PipedProgram {
    /// What `test:digest` prints for these bytes.
    static func digest(_ bytes: [UInt8]) throws -> String {
        let program = try PipedProgram(["sha256sum"])
        try program.send(bytes)
        program.endInput()
        return String(try program.output.rest().text.prefix(64))
    }
}

// What a client writes as a JSON request is read as the same request, and its input as the same bytes.
import DokkuProtocol
import Testing

@Suite struct JSONRequestEncoderTests {
    /// The request as the daemon reads it from its socket.
    private func read(_ line: [UInt8]) throws -> JSONRequest {
        var framer = LineFramer(maximumLength: 32 << 20)
        framer.append(line.span)
        guard case .line(let text)? = framer.next(), framer.bufferedBytes == 0, LineFramer.beginsJSON(text)
        else {
            throw JSONRequest.Fault(refusal: .invalid("no line of JSON"))
        }
        return try JSONRequestDecoder.decode(text)
    }

    private func comesBack(_ request: JSONRequest) throws -> Bool {
        try read(JSONRequestEncoder.line(request)) == request
    }

    @Test func `a command alone is a short line`() throws {
        #expect(
            try text(JSONRequestEncoder.line(JSONRequest(["apps:list"]))) == #"{"command":["apps:list"]}"#
                + "\n")
    }

    @Test func `every key is written`() throws {
        var request = JSONRequest(["config:set", "app", #"A="b""#])
        request.id = .text("ü\"")
        request.isStreamed = true
        request.input = .following(count: 9)
        request.encoding = .base64
        request.timeout = .milliseconds(1500)
        request.endsWithClient = true
        #expect(
            try text(JSONRequestEncoder.line(request))
                == #"{"id":"ü\"","command":["config:set","app","A=\"b\""],"stream":true,"stdin_length":9,"#
                + #""encoding":"base64","timeout":1.500000000,"on_disconnect":"cancel"}"# + "\n")
        #expect(try comesBack(request))
        request.encoding = .utf8
        request.stripsAnsi = true
        request.handsOverDescriptors = true
        for (input, terminal) in [(nil, "xterm-256color"), (.chunks, nil)] as [(JSONRequest.Input?, String?)]
        {
            request.input = input
            request.terminal = terminal
            #expect(try comesBack(request))
        }
        #expect(
            try text(JSONRequestEncoder.line(request)).hasSuffix(#","descriptors":true}"# + "\n"))
        request.handsOverDescriptors = false
        for input in [nil, .bytes([]), .chunks, .following(count: .max)] as [JSONRequest.Input?] {
            request.input = input
            #expect(try comesBack(request))
        }
    }

    @Test func `hostile texts come back as words, as ids and as input`() throws {
        for bytes in HostileBytes.ofText {
            let text = String(decoding: bytes, as: UTF8.self)
            var request = JSONRequest(bytes.contains(0) ? ["x"] : ["x", text])
            request.id = .text(text)
            request.input = .bytes(bytes)
            let isSame = try comesBack(request)
            #expect(isSame, "\(bytes.prefix(20))")
        }
    }

    @Test func `what JSON or a word cannot hold is not sent`() throws {
        #expect(throws: Unsendable.nulByte) { try JSONRequestEncoder.line(JSONRequest(["x", "a\0"])) }
        for bytes in HostileBytes.all where String(validating: bytes, as: UTF8.self) == nil {
            var words: ArgumentList = ["x"]
            words.append(bytes.filter { $0 != 0 })
            words.endWord()
            #expect(throws: Unsendable.notUTF8) { try JSONRequestEncoder.line(JSONRequest(words)) }
            var request = JSONRequest(["x"])
            request.input = .bytes(bytes)
            #expect(throws: Unsendable.notUTF8) { try JSONRequestEncoder.line(request) }
        }
    }

    /// The daemon reads a fraction as a Double.
    @Test(
        arguments: [.milliseconds(1), .seconds(3), .nanoseconds(1_000_000_001), .seconds(1_000_000_000)]
            as [Duration])
    func `a timeout comes back`(timeout: Duration) throws {
        var request = JSONRequest(["x"])
        request.timeout = timeout
        let read = try #require(try read(JSONRequestEncoder.line(request)).timeout)
        #expect((read - timeout).wholeNanoseconds == 0)
    }

    @Test func `the daemon is asked for what it refuses`() throws {
        var request = JSONRequest(["x"])
        for timeout in [.zero, .seconds(-1)] as [Duration] {
            request.timeout = timeout
            #expect(try text(JSONRequestEncoder.line(request)) == #"{"command":["x"],"timeout":0}"# + "\n")
        }
        #expect(throws: JSONRequest.Fault.self) { try comesBack(JSONRequest()) }
    }

    @Test(arguments: 0..<4 as Range<UInt64>) func `random requests come back`(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<300 {
            var words: ArgumentList = ["x"]
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                words.append(
                    HostileBytes.random(from: HostileBytes.ofText, using: &generator).filter { $0 != 0 })
                words.endWord()
            }
            var request = JSONRequest(words)
            let text = HostileBytes.random(from: HostileBytes.ofText, using: &generator)
            let number = Int64.random(in: RequestID.numbers, using: &generator)
            request.id =
                [nil, .number(number), .text(String(decoding: text, as: UTF8.self))].randomElement(
                    using: &generator) ?? nil
            request.isStreamed = .random(using: &generator)
            let count = Int.random(in: 0...Int.max, using: &generator)
            request.input =
                [nil, .bytes(text), .following(count: count), .chunks].randomElement(using: &generator) ?? nil
            request.encoding = Bool.random(using: &generator) ? .base64 : .utf8
            request.stripsAnsi = request.encoding == .utf8 && .random(using: &generator)
            request.timeout = Bool.random(using: &generator) ? .seconds(count % 1_000_000_000 + 1) : nil
            request.endsWithClient = .random(using: &generator)
            switch request.input {
            case nil, .chunks: request.handsOverDescriptors = .random(using: &generator)
            case .bytes, .following: break
            }
            if request.handsOverDescriptors, .random(using: &generator) { request.terminal = "xterm+a_1.b-C" }
            #expect(try comesBack(request), "seed \(seed)")
        }
    }
}

@Suite struct InputChunkTests {
    private final class Sink: InputSink {
        var bytes: [UInt8] = []
        var ends: [InputEnd] = []

        func receive(_ bytes: ArraySlice<UInt8>) { self.bytes += bytes }
        func end(_ end: InputEnd) { ends.append(end) }
    }

    @Test func `chunks are read as the bytes that they were`() {
        var output = bytes("first\n")
        for part in HostileBytes.all { InputChunk.append(part.span, to: &output) }
        InputChunk.appendEnd(to: &output)
        output += bytes("next\n")
        var reader = RequestReader(lineLimit: 100, takesOneRequest: false)
        reader.append(output.span)
        let sink = Sink()
        var lines: [String] = []
        reading: while true {
            switch reader.next() {
            case .nothing: break reading
            case .line(let line):
                lines.append(text(line))
                if lines.count == 1 { reader.expect(.chunks, for: sink) }
            case .skippedLine: lines.append("skipped")
            case .input(let bytes, let sink): sink.receive(bytes)
            case .inputEnd(let end, let sink): sink.end(end)
            }
        }
        let isSame = sink.bytes == HostileBytes.all.flatMap { $0 }
        #expect(isSame)
        #expect(lines == ["first", "next"] && sink.ends == [.complete])
    }
}

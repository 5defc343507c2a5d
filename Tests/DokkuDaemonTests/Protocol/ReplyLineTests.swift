// A client reads what the daemon writes, and what the page of the protocol shows.
import Foundation
import TestSupport
import Testing

@testable import DokkuProtocol

@Suite struct ReplyLineTests {
    private typealias End = ReplyLine.End

    private func read(_ line: String) throws(ReplyLine.Failure) -> ReplyLine {
        try ReplyLine(bytes(line)[...])
    }

    private func written(_ id: RequestID?, _ write: (JSONReply, inout [UInt8]) -> Void) -> [UInt8] {
        var line: [UInt8] = []
        write(JSONReply(id: id), &line)
        return line
    }

    private func base64(_ input: [UInt8]) -> [UInt8] {
        var (encoder, output) = (Base64Encoder(), [UInt8]())
        encoder.encode(input.span, into: &output)
        encoder.finish(into: &output)
        return output
    }

    private func escaped(_ input: [UInt8]) -> [UInt8] {
        var encoder = OutputEncoder(stripsAnsi: false, trimsTrailingNewlines: false)
        var output: [UInt8] = []
        encoder.encode(input.span, into: &output)
        encoder.finish(into: &output)
        return output
    }

    // MARK: Events

    @Test(arguments: [nil, .number(-7), .text("é\"\0")] as [RequestID?])
    func `events are read as they were written`(id: RequestID?) throws {
        func reads(_ content: ReplyLine.Content, _ write: (JSONReply, inout [UInt8]) -> Void) throws {
            let line = try ReplyLine(written(id, write)[...])
            #expect(line.id == id && line.content == content)
        }
        try reads(.inputWanted) { $0.appendContinue(to: &$1) }
        for (waitsFor, runsWith) in [(nil, nil), (11, nil), (nil, 11)] as [(UInt64?, UInt64?)] {
            let event = QueuedEvent(job: 12, position: 2, waitsFor: waitsFor, runsWith: runsWith)
            try reads(.queued(event)) { $0.appendQueued(event, to: &$1) }
        }
        try reads(.started(job: 1 << 62)) { $0.appendStarted(job: 1 << 62, to: &$1) }
        try reads(.end(End(isOK: true, status: .exited(0), queued: .zero, ran: .zero))) {
            $0.appendAnswerEnd(to: &$1)
        }
        let refusal = Refusal(code: .denied, text: "no\n\"")
        for isStreamed in [true, false] {
            try reads(.end(End(isOK: false, error: "denied", output: bytes(refusal.text)))) {
                $0.appendRefusal(refusal, isStreamed: isStreamed, to: &$1)
            }
        }
    }

    @Test func `hostile output comes back in events and in replies`() throws {
        let streams: [DokkuProtocol.OutputStream] = [.standardOutput, .standardError]
        for (number, output) in HostileBytes.all.enumerated() where !output.isEmpty {
            let stream = streams[number % 2]
            let text = escaped(output)
            let shown = Array(String(decoding: output, as: UTF8.self).utf8)
            func isRead(_ line: [UInt8], as content: ReplyLine.Content) throws -> Bool {
                try ReplyLine(line[...]) { $0 == .number(1) ? .base64 : .utf8 }.content == content
            }
            let event = written(.number(0)) { $0.appendOutput(stream, to: &$1) { $0 += text } }
            let exact = written(.number(1)) { $0.appendOutput(stream, to: &$1) { $0 += base64(output) } }
            var plain: [UInt8] = []
            PlainReply.appendHead(ok: false, to: &plain)
            plain += text
            PlainReply.appendTail(to: &plain)
            #expect(try isRead(event, as: .output(stream, shown)), "\(output.prefix(20))")
            #expect(try isRead(exact, as: .output(stream, output)), "\(output.prefix(20))")
            #expect(try isRead(plain, as: .end(End(isOK: false, output: shown))), "\(output.prefix(20))")
        }
    }

    // MARK: Last lines

    @Test func `every key of a last line is read`() throws {
        let result = JSONReply.Result(
            ok: false, status: .signalled("SIGTERM"), error: .timeout, isOutputCut: true, job: 3, isEnd: true,
            queued: .milliseconds(4), ran: .milliseconds(5))
        let line = written(.text("a")) { reply, line in
            reply.appendHead(result, to: &line)
            reply.appendTail(result, to: &line)
        }
        #expect(
            try ReplyLine(line[...])
                == ReplyLine(
                    id: .text("a"),
                    content: .end(
                        End(
                            isOK: false, status: .signalled("SIGTERM"), error: "timeout", isOutputCut: true,
                            job: 3,
                            queued: .milliseconds(4), ran: .milliseconds(5)))))
    }

    @Test(arguments: 0..<4 as Range<UInt64>) func `random last lines are read as they were written`(
        seed: UInt64
    ) throws {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<300 {
            let result = JSONReply.Result(
                ok: .random(using: &generator),
                status: [nil, .exited(.random(in: 0...255, using: &generator)), .signalled("SIGKILL")]
                    .randomElement(using: &generator) ?? nil,
                error: [nil, .cancelled, .outputTruncated].randomElement(using: &generator) ?? nil,
                isOutputCut: .random(using: &generator),
                job: [nil, .random(in: 1...1 << 62, using: &generator)].randomElement(using: &generator)
                    ?? nil, isEnd: .random(using: &generator),
                queued: .milliseconds(Int.random(in: 0...1 << 40, using: &generator)),
                ran: .milliseconds(Int.random(in: 0...1 << 40, using: &generator)))
            let output = HostileBytes.random(using: &generator)
            let errors = Bool.random(using: &generator) ? HostileBytes.random(using: &generator) : nil
            let id = RequestID.number(.random(in: RequestID.numbers, using: &generator))
            let line = written(id) { reply, line in
                reply.appendHead(result, to: &line)
                line +=
                    bytes(",\"output\":\"") + (errors == nil ? escaped(output) : base64(output)) + bytes("\"")
                if let errors { line += bytes(",\"stderr\":\"") + base64(errors) + bytes("\"") }
                reply.appendTail(result, to: &line)
            }
            let expected = End(
                isOK: result.ok, status: result.status, error: result.error?.rawValue,
                isOutputCut: result.isOutputCut,
                output: errors == nil ? Array(String(decoding: output, as: UTF8.self).utf8) : output,
                errors: errors,
                job: result.job, queued: result.queued, ran: result.ran)
            #expect(try ReplyLine(line[...]) == ReplyLine(id: id, content: .end(expected)), "seed \(seed)")
        }
    }

    // MARK: Pages, and other daemons

    /// The lines of JSON in the page's blocks; a mark says who sends one, and without a mark it is the daemon.
    private func lines(ofPage text: String) -> (requests: [String], replies: [String]) {
        let blocks = text.components(separatedBy: "\n```").enumerated().filter { $0.offset % 2 == 1 }.map(
            \.element)
        let lines = blocks.flatMap { $0.split(separator: "\n") }
        return (
            lines.filter { $0.hasPrefix("→ {") }.map { String($0.dropFirst(2)) },
            lines.filter { $0.hasPrefix("← {") }.map { String($0.dropFirst(2)) }
                + lines.filter { $0.hasPrefix("{") }.map(String.init)
        )
    }

    @Test func `the lines of the protocol's page are read`() throws {
        let page = try String(contentsOfFile: Repository.path("docs/protocol.md"), encoding: .utf8)
        let (requests, replies) = lines(ofPage: page)
        var seen: Set<String> = []
        for line in replies {
            let name = "\(try read(line).content)".prefix { $0.isLetter }
            seen.insert(String(name))
        }
        // No event of the page is unknown.
        #expect(seen == ["inputWanted", "queued", "started", "output", "end", "happening"])
        #expect(!requests.isEmpty)
        for line in requests {
            let request = try JSONRequestDecoder.decode(bytes(line)[...])
            #expect(try text(JSONRequestEncoder.line(request)) == line + "\n")
        }
    }

    @Test func `what a newer daemon adds is no error`() throws {
        #expect(
            try read(#" {"more":[{"a":null}],"event":"started","job":1,"id":2} "#)
                == ReplyLine(id: .number(2), content: .started(job: 1)))
        #expect(
            try read(#"{"id":"x","event":"paused","job":"1"}"#)
                == ReplyLine(id: .text("x"), content: .unknown(event: "paused")))
        #expect(
            try read(#"{"ok":false,"error":"new","output":"","stdin":1}"#).content
                == .end(End(isOK: false, error: "new")))
    }

    @Test(arguments: [
        "", "x", "{", #"{"ok":true"#, #"{"ok":true,}"#, #"{"ok":true}{"ok":true}"#, #"{"ok":true,"ok":true}"#,
        #"{'ok':true}"#, "\u{FEFF}{}", "{\"ok\":true,\"output\":\"\n\"}", "true",
    ])
    func `what is no JSON is an error`(line: String) {
        let error = #expect(throws: ReplyLine.Failure.self) { try read(line) }
        if case .notJSON = error { return }
        Issue.record("\(line)")
    }

    @Test func `bytes that are not UTF-8 are no JSON`() {
        let line = bytes("{\"ok\":true,\"output\":\"") + [0xFF] + bytes("\"}")
        #expect(throws: ReplyLine.Failure.notJSON(position: 21)) { try ReplyLine(line[...]) }
    }

    @Test(arguments: [
        ("{}", "ok"), (#"{"ok":1}"#, "ok"), (#"{"ok":true,"output":null}"#, "output"),
        (#"{"event":1}"#, "event"),
        (#"{"id":1.5,"ok":true}"#, "id"), (#"{"id":9007199254740993,"ok":true}"#, "id"),
        (#"{"event":"end"}"#, "ok"),
        (#"{"event":"queued","job":1}"#, "position"), (#"{"event":"queued","job":-1,"position":1}"#, "job"),
        (#"{"event":"started"}"#, "job"), (#"{"event":"output","stream":"stdin","data":""}"#, "stream"),
        (#"{"event":"output","stream":"stdout"}"#, "data"),
        (#"{"ok":true,"exit_status":"0"}"#, "exit_status"),
        (#"{"ok":true,"exit_status":2147483648}"#, "exit_status"),
        (#"{"ok":false,"exit_status":null}"#, "signal"),
        (#"{"ok":true,"queued_ms":-1}"#, "queued_ms"), (#"{"ok":true,"run_ms":0.5}"#, "run_ms"),
        (#"{"ok":false,"error":1}"#, "error"), (#"{"ok":true,"output":"a","stderr":""}"#, "output"),
        (#"{"ok":true,"output":"","stderr":"a"}"#, "stderr"),
        (#"{"ok":true,"output_truncated":1}"#, "output_truncated"),
    ])
    func `a member that is missing or wrong is named`(line: String, member: String) {
        #expect(throws: ReplyLine.Failure.member(member)) { try read(line) }
    }

    @Test func `an array is no reply`() {
        #expect(throws: ReplyLine.Failure.notObject) { try read("[]") }
    }
}

@Suite struct OutputEventLineTests {
    private func line(_ count: Int, _ stream: String) -> [UInt8] {
        let data = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ count) })
        return bytes(
            "{\"event\":\"output\",\"stream\":\"\(stream)\",\"data\":\"\(data.base64EncodedString())\"}")
    }

    private func read(_ line: [UInt8]) -> ReplyLine? { try? ReplyLine(line[...], encoding: { _ in .base64 }) }

    /// A blank more, and it is read as any JSON.
    private func readSlowly(_ line: [UInt8]) -> ReplyLine? {
        let slow = bytes("{ ") + line.dropFirst()
        #expect(OutputEventLine.read(slow[...]) == nil)
        return read(slow)
    }

    @Test(arguments: ["stdout", "stderr"])
    func `the lines of a long output are read fast, and mean the same as any JSON`(stream: String) {
        for count in 0..<100 {
            let line = line(count, stream)
            #expect(OutputEventLine.read(line[...]) != nil)
            #expect(read(line) != nil && read(line) == readSlowly(line))
        }
    }

    @Test func `a line with another byte means what it means as any JSON`() {
        let line = line(11, "stdout")
        for index in 1..<line.count {
            for byte in bytes("\"\\}{A=,: 0\u{0}\n") {
                var other = line
                other[index] = byte
                #expect(read(other) == readSlowly(other), "\(String(decoding: other, as: UTF8.self))")
            }
            #expect(read(Array(line[..<index])) == readSlowly(Array(line[..<index])))
        }
    }

    @Test func `text is never read as base64`() {
        let line = line(9, "stdout")
        #expect(try! ReplyLine(line[...]).content != read(line)?.content)
    }
}

@Suite struct Base64DecoderTests {
    private func decode(_ text: String) -> [UInt8]? {
        bytes(text).withUnsafeBufferPointer(Base64Decoder.decode)
    }

    @Test func `every length and every digit are read`() {
        for count in 0..<200 {
            let input = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ count) }
            #expect(decode(Data(input).base64EncodedString()) == input)
        }
    }

    @Test(arguments: [
        "A", "AA", "AAA", "=", "====", "A===", "AA=A", "AAA=AAAA", "AA==AAAA", "AAAA====", "A A=", "AAA\n",
        "AA-_", "QQ=",
        "QR==", "QUJ=", "é==",
    ])
    func `what no encoder writes is nothing`(text: String) {
        #expect(decode(text) == nil)
    }
}

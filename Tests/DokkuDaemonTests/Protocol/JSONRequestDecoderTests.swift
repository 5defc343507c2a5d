// Each key of a JSON request, right and wrong, and documents meant to do harm.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct JSONRequestDecoderTests {
    private func decode(_ line: String) throws -> JSONRequest {
        try JSONRequestDecoder.decode(bytes(line)[...])
    }

    private func fault(_ line: [UInt8]) -> JSONRequest.Fault? {
        do {
            _ = try JSONRequestDecoder.decode(line[...])
            return nil
        } catch {
            #expect(error.refusal.code == .invalidRequest)
            return error
        }
    }

    private func fault(_ line: String) -> JSONRequest.Fault? { fault(bytes(line)) }

    @Test func `a command alone is a request`() throws {
        var expected = JSONRequest()
        expected.command = ["apps:list"]
        #expect(try decode(#"{"command":["apps:list"]}"#) == expected)
        #expect(try decode(" \t{ \"command\" : \"apps:list\" } \r") == expected)
    }

    @Test func `every key is read`() throws {
        let request = try decode(
            #"{"id":7,"command":["config:set","app","KEY=a \"b\" é",""],"stream":true,"stdin":"a\u0000b","#
                + #""encoding":"utf-8","strip_ansi":true,"timeout":1.5,"on_disconnect":"cancel"}"#)
        #expect(request.id == .number(7))
        #expect(request.command == ["config:set", "app", "KEY=a \"b\" é", ""])
        #expect(request.isStreamed)
        #expect(request.input == .bytes([0x61, 0, 0x62]))
        #expect(request.encoding == .utf8)
        #expect(request.stripsAnsi)
        #expect(request.timeout == .milliseconds(1500))
        #expect(request.endsWithClient)
    }

    @Test func `the other values are read`() throws {
        let request = try decode(
            #"{"id":"é\u0000","command":"a 'b c' > /d","stream":false,"stdin_length":0,"encoding":"base64","#
                + #""strip_ansi":false,"timeout":3,"on_disconnect":"finish"}"#)
        #expect(request.id == .text("é\0"))
        #expect(request.command == ["a", "b c", ">", "/d"])
        #expect(!request.isStreamed)
        #expect(request.input == .following(count: 0))
        #expect(request.encoding == .base64)
        #expect(!request.stripsAnsi)
        #expect(request.timeout == .seconds(3))
        #expect(!request.endsWithClient)
        #expect(try decode(#"{"command":"a","stdin":""}"#).input == .bytes([]))
        #expect(try decode(#"{"command":"'a\nb'"}"#).command == ["a\nb"])
    }

    @Test func `descriptors are announced, and with them a terminal`() throws {
        let request = try decode(#"{"command":"a","descriptors":true,"terminal":"xterm-256color"}"#)
        #expect(request.handsOverDescriptors && request.terminal == "xterm-256color")
        let name = String(repeating: "a", count: 64)
        #expect(try decode(#"{"command":"a","descriptors":true,"terminal":"\#(name)"}"#).terminal == name)
        #expect(try decode(#"{"command":"a","descriptors":true,"stdin_chunks":true}"#).input == .chunks)
        #expect(try !decode(#"{"command":"a","descriptors":false,"stdin":""}"#).handsOverDescriptors)
        #expect(try !decode(#"{"command":"a","descriptors":false,"detach":true}"#).handsOverDescriptors)
    }

    @Test(arguments: [
        "", "a/b", "a b", "a=b", "ü", "a\\n", "a\\u0000", "*", String(repeating: "a", count: 65),
    ])
    func `a terminal is one plain word`(name: String) throws {
        let refusal = try #require(
            fault(#"{"command":"a","descriptors":true,"terminal":"\#(name)"}"#)?.refusal)
        #expect(refusal.text == "terminal must be a name of letters, digits, +, -, . and _")
    }

    @Test(arguments: [
        ("9007199254740992", RequestID.number(1 << 53)), ("-9007199254740992", .number(-(1 << 53))),
        ("0", .number(0)), ("-0", .number(0)), (#""""#, .text("")), (#""\ud83d\ude00""#, .text("\u{1F600}")),
    ])
    func `identifiers come back as they were`(id: String, expected: RequestID) throws {
        #expect(try decode("{\"command\":\"a\",\"id\":\(id)}").id == expected)
    }

    @Test(arguments: [
        ("1e300", Duration.seconds(1_000_000_000)), ("9223372036854775807", .seconds(1_000_000_000)),
        ("1e-300", .milliseconds(1)), ("0.25", .milliseconds(250)), ("1e2", .seconds(100)),
    ])
    func `time-outs are clamped`(timeout: String, expected: Duration) throws {
        #expect(try decode("{\"command\":\"a\",\"timeout\":\(timeout)}").timeout == expected)
    }

    /// Each with what its text must name; the rest of the request is sound.
    @Test(arguments: [
        (#""command":[]"#, "command"), (#""command":"""#, "command"), (#""command":" \t""#, "command"),
        (#""command":7"#, "command"), (#""command":null"#, "command"), (#""command":{}"#, "command"),
        (#""command":["a",7]"#, "command"), (#""command":["a",["b"]]"#, "command"),
        (#""command":["a","b\u0000"]"#, "command"), (#""command":"a\u0000""#, "command"),
        (#""command":"a 'b""#, "single quote"), (#""command":"a\nb""#, "command"),
        (#""stream":true"#, "command"),
        (#""command":"a","descriptors":1"#, "descriptors"),
        (#""command":"a","descriptors":null"#, "descriptors"),
        (#""command":"a","descriptors":true,"stdin":"""#, "descriptors"),
        (#""command":"a","descriptors":true,"detach":true"#, "descriptors"),
        (#""command":"a","terminal":"xterm""#, "terminal"), (#""command":"a","terminal":7"#, "terminal"),
        (#""command":"a","descriptors":false,"terminal":"xterm""#, "terminal"),
        (#""command":"a","descriptors":true,"terminal":7"#, "terminal"),
        (#""command":"a","id":1.0"#, "id"), (#""command":"a","id":9007199254740993"#, "id"),
        (#""command":"a","id":-9007199254740993"#, "id"), (#""command":"a","id":null"#, "id"),
        (#""command":"a","id":[1]"#, "id"), (#""command":"a","id":1e3"#, "id"),
        (#""command":"a","stream":1"#, "stream"), (#""command":"a","stream":"true""#, "stream"),
        (#""command":"a","stdin":1"#, "stdin"), (#""command":"a","stdin":null"#, "stdin"),
        (#""command":"a","stdin_length":-1"#, "stdin_length"),
        (#""command":"a","stdin_length":1.0"#, "stdin_length"),
        (#""command":"a","stdin_length":"1""#, "stdin_length"),
        (#""command":"a","stdin":"","stdin_length":0"#, "stdin_length"),
        (#""command":"a","encoding":"utf8""#, "encoding"), (#""command":"a","encoding":true"#, "encoding"),
        (#""command":"a","strip_ansi":0"#, "strip_ansi"),
        (#""command":"a","strip_ansi":true,"encoding":"base64""#, "strip_ansi"),
        (#""command":"a","timeout":0"#, "timeout"), (#""command":"a","timeout":-1"#, "timeout"),
        (#""command":"a","timeout":"1""#, "timeout"), (#""command":"a","timeout":null"#, "timeout"),
        (#""command":"a","on_disconnect":"stop""#, "on_disconnect"),
        (#""command":"a","on_disconnect":false"#, "on_disconnect"),
        (#""command":"a","stdin_lenght":1"#, "stdin_lenght"), (#""command":"a","":1"#, "Unknown key"),
        (#""command":"a","Command":1"#, "Unknown key"),
    ])
    func `wrong members are named`(members: String, named: String) {
        #expect(fault("{\(members)}")?.refusal.text.contains(named) == true)
    }

    @Test(arguments: [
        #""command":["SECRET",1]"#, #""command":"'SECRET""#, #""command":"a","KEY=SECRET":1"#,
        #""command":"a","encoding":"SECRET""#, #""command":"a","stdin":SECRET"#,
        #""command":"a","stdin":"SECRET","stdin":"SECRET""#, #""command":"a","stdin":"SECRET"#,
    ])
    func `values are never repeated`(members: String) throws {
        let fault = try #require(self.fault("{\(members)}"))
        #expect(!fault.refusal.text.contains("SECRET"))
    }

    @Test(arguments: [
        "", "{", "{}", "[]", #"["apps:list"]"#, "{]", #"{"command":"a"}}"#, #"{"command":"a"} x"#,
        #"{"command":"a",}"#, #"{"command":["a",]}"#, "\u{FEFF}{\"command\":\"a\"}", #"{'command':'a'}"#,
        #"{command:"a"}"#, #"{"command":"a"}{"command":"a"}"#, #"{"command":"a"#, #"{"command":"\x"}"#,
        #"{"command":"\ud800"}"#, #"{"command":"\udc00\ud800"}"#, #"{"command":"a","id":01}"#,
        #"{"command":"a","id":1e999}"#, #"{"command":"a","id":99999999999999999999}"#,
        #"{"command":"a","timeout":NaN}"#, #"{"command":"a","timeout":Infinity}"#,
        "{\"command\":\"a\u{01}\"}", "{\"command\":\"a\0\"}", "{\"command\":\"a\"}\0",
        #"{"command":"a","\u0000":1}"#,
        #"{"command":"a"/**/}"#, #"{"command":"a","command":"a"}"#, #"{"command":"a","x":{"b":1,"b":1}}"#,
    ])
    func `other documents are no request`(line: String) {
        #expect(fault(line) != nil)
    }

    @Test func `a line that is not UTF-8 is no request`() {
        #expect(fault(bytes(#"{"command":""#) + [0xFF] + bytes("\"}")) != nil)
        #expect(fault(bytes(#"{"command":""#) + [0xC0, 0xAF] + bytes("\"}")) != nil)
        #expect(fault(bytes(#"{"command":""#) + [0xED, 0xA0, 0x80] + bytes("\"}")) != nil)
    }

    /// Wrong in every way, but with an id, events asked for, and a body behind the line.
    @Test(arguments: [
        #"{"id":7,"stream":true,"stdin_length":9}"#,
        #"{"id":7,"stream":true,"stdin_length":9,"command":1}"#,
        #"{"zzz":1,"command":"a","stdin_length":9,"stream":true,"id":7}"#,
        #"{"id":7,"stream":true,"stdin_length":9,"stdin":"","command":"a"}"#,
        #"{"command":"a","id":7,"stream":true,"stdin_length":9,"command":"a"}"#,
        #"{"id":1,"id":7,"stream":true,"stdin_length":9,"command":"a"}"#,
        #"{"id":7,"stream":true,"stdin_length":1,"stdin_length":9,"command":"a"}"#,
        "{\"id\"\n:\n7\n,\"stream\":true\n,\"stdin_length\":9\t\r\n",
        #"{"id" : 7 , "stream":true,"stdin_length":9,"command":["id",{"id":3}],}"#,
        #"{"id":7,"command":"\"id\":3,\\","stream":true,"stdin_length":9"#,
        #"{"stream":true,"x":{"id":3,"stdin_length":4},"id":7,"stdin_length":9,"command":"a"#,
        #"{"stdin_length":9,"stream":true,"command":"a"b,"id":7}"#,
        #"{"id":7,"stream":true,"stdin_length":9,"command":"\ud800"}"#,
        #"{"id":7,"stream":true,"stdin_length":9,"command":"a"}{"id":3,"stdin_length":4}"#,
        "\u{FEFF}{\"id\":7,\"stream\":true,\"stdin_length\":9,\"command\":\"a\"}",
    ])
    func `what can be read of a wrong request is kept`(line: String) throws {
        let fault = try #require(self.fault(line))
        #expect(fault.id == .number(7))
        #expect(fault.isStreamed)
        #expect(fault.following == .bytes(9))
    }

    @Test(arguments: [
        #"{"id":1.5,"stream":1,"stdin_length":-4}"#, #"{"id":true,"stream":null,"stdin_length":"9"}"#,
        #"{"id":{"id":7},"stream":[true],"stdin_length":[9],}"#, #"{"id":,"stream":,"stdin_length":,}"#,
        #"{"id""stream""stdin_length""#, #"{"id":"a"#, #"{"x":"\"#, #"{"command":"id"7,}"#, "{\"",
        #"{"stream":tru,"stdin_length":1e9}"#, #"}{"id":7,"#,
    ])
    func `what cannot be read of a wrong request is not kept`(line: String) throws {
        let fault = try #require(self.fault(line))
        #expect(fault.id == nil)
        #expect(!fault.isStreamed)
    }

    /// Bytes may follow that are no line, and nobody knows how many.
    @Test(arguments: [
        #"{"stdin_length":-4,"command":"a"}"#, #"{"stdin_length":"9","command":"a"}"#,
        #"{"stdin_length":1e9,"command":"a"}"#, #"{"stdin_length":[9],}"#, #"{"stdin_length":,}"#,
        #"{"stdin_length":9x,"command":"a"}"#, #"{"command":"it"s","stdin_length":9}"#, #"{"stdin_l"#,
        #"{"stdin_lenght":9,"command":"a"}"#, #"{"stdin_size":9,"command":"a"}"#,
        #"{"stdin_length":9,"stdin_length":true,"command":"a"}"#,
    ])
    func `a length that cannot be read is not taken for none`(line: String) throws {
        #expect(try #require(self.fault(line)).following == .unknown)
    }

    @Test(arguments: [
        #"{"stdin_length":null,"command":"a"}"#, #"{"stdin_length":0}"#, #"{"stdin":"9","x":1}"#,
        #"{"stdin":"9","command":"a"#, #"{"id":1,"nonsense":true}"#, #"{"stdin_chunks":tru}"#,
    ])
    func `a request that announces no input is followed by a line`(line: String) throws {
        #expect(try #require(self.fault(line)).following == .nothing)
    }

    @Test func `a claim of any size is carried`() throws {
        let line = #"{"id":"x","stdin_length":9223372036854775807"#
        #expect(fault(line + "}")?.following == .bytes(.max))
        #expect(fault(line + ",}")?.following == .bytes(.max))
        #expect(try decode(line + #","command":"a"}"#).input == .following(count: .max))
    }

    /// A mebibyte each, and what would be slow for a parser that is not careful.
    @Test(.timeLimit(.minutes(1)), arguments: Hostile.allCases)
    func `hostile documents are refused at once`(kind: Hostile) {
        let line = kind.line
        let start = ContinuousClock.now
        #expect(fault(line) != nil)
        // Tens of milliseconds in release; this is to tell linear from quadratic on a busy machine.
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    enum Hostile: CaseIterable {
        case brackets, objects, integer, fraction, exponent, surrogates, repeatedKeys, differentKeys, blanks
        case emptyStrings, members, quotes, backslashes, colons, repeatedIdentifiers

        var line: [UInt8] {
            func filled(_ start: String, _ piece: String, _ end: String) -> [UInt8] {
                bytes(start + String(repeating: piece, count: (1 << 20) / piece.utf8.count) + end)
            }
            switch self {
            case .brackets: return bytes(String(repeating: "[", count: 100_000))
            case .objects: return filled("", #"{"a":"#, "")
            case .integer: return filled(#"{"id":"#, "9", "}")
            case .fraction: return filled(#"{"timeout":0."#, "9", "}")
            case .exponent: return filled(#"{"timeout":1e"#, "9", "}")
            case .surrogates: return filled(#"{"stdin":""#, #"\udc00"#, "\"}")
            case .repeatedKeys: return filled("{", #""a":1,"#, #""b":1}"#)
            case .differentKeys:
                return bytes("{" + (0..<100_000).map { "\"\($0)\":1" }.joined(separator: ",") + "}")
            case .blanks: return filled("{", " ", "")
            case .emptyStrings: return filled(#"{"x":["#, #""","#, #"""]}"#)
            case .members: return filled("{", #""stdin":"","#, "}")
            case .quotes: return filled("{", "\"", "")
            case .backslashes: return filled("{\"", "\\", "")
            case .colons: return filled("{", ":", "")
            case .repeatedIdentifiers: return filled("{", #""id":"x","#, "")
            }
        }
    }
}

// Documents that are made to hurt: an error each, and nobody is held up.
import Testing

@Suite struct HostileDocumentTests {
    private static let size = 1 << 20

    private static let documents: [(name: String, bytes: [UInt8])] = {
        func text(_ text: String) -> [UInt8] { Array(text.utf8) }
        func filled(_ start: String, _ piece: String, _ end: String) -> [UInt8] {
            let count = (size - start.utf8.count - end.utf8.count - 2) / piece.utf8.count
            return text(start + String(repeating: piece, count: count) + end)
        }
        return [
            ("brackets", text("{\"command\":" + String(repeating: "[", count: 100_000))),
            (
                "closed brackets",
                text(
                    "{\"command\":" + String(repeating: "[", count: 100_000)
                        + String(repeating: "]", count: 100_000) + "}")
            ),
            ("objects", filled("", "{\"a\":", "")),
            ("blanks", filled("{", " ", "")),
            ("empty strings", filled("{\"command\":[\"version\"", ",\"\"", "")),
            ("empty strings for nothing", filled("{\"nonsense\":[\"\"", ",\"\"", "]}")),
            ("a long number", filled("{\"id\":", "9", ",\"command\":\"version\"}")),
            ("a small number", filled("{\"id\":0.", "0", "1,\"command\":\"version\"}")),
            ("an exponent", text("{\"id\":1e999999999,\"command\":\"version\"}")),
            ("repeated keys", filled("{\"command\":\"version\"", ",\"id\":1", "}")),
            ("many keys", text("{" + (0..<60_000).map { "\"k\($0)\":0" }.joined(separator: ",") + "}")),
            ("a byte order mark", [0xef, 0xbb, 0xbf] + text("{\"command\":\"version\"}")),
            ("a lone surrogate", text("{\"command\":\"\\udc00\"}")),
            ("a cut escape", text(#"{"command":"\ud8"}"#)),
            ("an unknown escape", text(#"{"command":"\x41"}"#)),
            ("a surrogate in bytes", text("{\"command\":\"") + [0xed, 0xa0, 0x80] + text("\"}")),
            ("beyond Unicode", text("{\"command\":\"") + [0xf4, 0x90, 0x80, 0x80] + text("\"}")),
            ("escaped nothing", filled("{\"id\":\"", "\\u0000", "\",\"x\":1}")),
            ("a long key", filled("{\"", "k", "\":1}")),
            ("blank words", filled("{\"command\":\"", "' ' ", "\"}")),
            ("a NUL", text("{\"command\":[\"version\u{0}\"]}")),
            ("cut text", text("{\"command\":\"") + [0xe2, 0x82] + text("\"}")),
            ("overlong text", text("{\"command\":\"") + [0xc0, 0x80] + text("\"}")),
            ("backslashes", filled("{\"command\":\"", "\\\\", "")),
            ("nothing but a brace", filled("{", "}", "")),
        ]
    }()

    @Test func `each hostile document is an error and stalls nobody`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        let other = try daemon.connect()
        for document in Self.documents {
            try client.send(document.bytes + [0x0a])
            #expect(try other.ask("daemon:version").ok)
            #expect(try client.answer()["ok"] == .bool(false), "\(document.name)")
        }
        #expect(try client.ask("test:args on") == .good("<on>"))
        // What follows a line that was thrown away may be its input.
        try client.send([UInt8](repeating: 0x7b, count: 3 * Self.size) + [0x0a])
        #expect(try other.ask("daemon:version").ok)
        #expect(try client.answer()["error"] == "line_too_long")
        #expect(try client.ends())
        #expect(daemon.ran == ["test:args on"])
    }

    @Test func `a request may be as long as a line`() throws {
        let client = try DaemonProcess().connect()
        let start = #"{"command":"test:stdin","stdin":""#
        let input = String(repeating: "é\\n", count: (Self.size - start.utf8.count - 2) / 4)
        let answer = try client.request(start + input + "\"}")
        #expect(answer["output"]?.text?.count == input.utf8.count / 2 - 1)
        let many = String(repeating: ",\"\"", count: 100_000)
        #expect(try client.request(#"{"command":["test:exit","3"\#(many)]}"#)["exit_status"] == .number(3))
    }

    /// Its first byte is no `{`: it is a plain line, and a command of that name there is not.
    @Test func `a byte order mark is no request`() throws {
        let client = try DaemonProcess().connect()
        try client.send(Array("\u{feff}{\"command\":[\"apps:list\"]}\n".utf8))
        #expect(try client.reply() == .bad("Invalid command"))
    }

    /// A thousand small errors in one write, and as many answers.
    @Test func `many hostile documents at once harm nobody`() throws {
        let daemon = try DaemonProcess()
        let attacker = try daemon.connect()
        let bystander = try daemon.connect()
        try attacker.send((0..<1000).map { "{\"id\":\($0)\n" }.joined())
        #expect(try bystander.ask("daemon:version").ok)
        for id in 0..<1000 { #expect(try attacker.answer()["id"] == .integer(id)) }
    }
}

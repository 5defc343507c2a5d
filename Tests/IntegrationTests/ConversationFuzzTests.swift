// Random conversations, the same ones each time: whatever the lines, their cuts and their company, each line gets
// exactly one answer, and plain ones get theirs in order.
import Testing

/// xorshift64*: a seed says which conversation failed.
struct Random: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 2_685_821_657_736_338_717 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }
}

@Suite struct ConversationFuzzTests {
    /// What is sent, and what must come back: plain outputs in order (nil: any text), and ids.
    private struct Script {
        var bytes: [UInt8] = []
        var plain: [String?] = []
        var ids: Set<Int> = []
        /// Answers in JSON that can have no id.
        var nameless = 0

        mutating func add(_ random: inout Random, number: Int) {
            switch Int.random(in: 0..<14, using: &random) {
            case 0: say("test:args \(number)", "<\(number)>")
            case 1: say("", "Invalid command")
            case 2: say("nonsense:\(number) x", "Invalid command")
            case 3: say("daemon:version", nil)
            case 4: say("test:args 'open \(number)", nil)
            case 5: say("test:args a\0b", nil)
            case 6: say(String(repeating: "long", count: Int.random(in: 499...3000, using: &random)), nil)
            case 7: say("apps:destroy app\r", "Requires --force flag")
            case 8: ask(number, #""command":"test:args json""#)
            case 9: ask(number, #""command":"test:both 2","stream":true"#)
            case 10: ask(number, #""command":"nonsense""#)
            case 11: ask(number, #""command":["test:args"],"unknown":1"#)
            case 12:
                let body = (0..<Int.random(in: 0...5000, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                ask(number, #""command":"test:stdin","encoding":"base64","stdin_length":\#(body.count)"#)
                bytes += body
            default:
                bytes += Array("{\"broken\n".utf8)
                nameless += 1
            }
        }

        private mutating func say(_ line: String, _ output: String?) {
            bytes += Array(line.utf8) + [0x0a]
            plain.append(output)
        }

        private mutating func ask(_ id: Int, _ members: String) {
            bytes += Array("{\"id\":\(id),\(members)}\n".utf8)
            ids.insert(id)
        }

        /// Takes an answer off the list of what is awaited.
        mutating func check(_ line: [UInt8]) throws {
            let value = try JSON(line)
            #expect(Schema.ofProtocol.accepts(value, as: "reply"), "\(line.text)")
            if let event = value["event"]?.text, event != "end" { return }
            if let id = value["id"]?.int {
                #expect(ids.remove(id) != nil, "twice: \(line.text)")
            } else if value["error"] != nil {
                nameless -= 1
            } else {
                try #require(!plain.isEmpty, "one too many: \(line.text)")
                if let output = plain.removeFirst() { #expect(value["output"] == .text(output)) }
            }
        }
    }

    @Test(arguments: 1...6) func `each line gets one answer`(seed: UInt64) throws {
        var random = Random(seed: seed)
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_LINE": "2000", "DOKKU_DAEMON_MAX_OPEN": "3"])
        var talks = try (0..<6).map { _ in (client: try daemon.connect(), conversation: Script()) }
        for index in talks.indices {
            for number in 0..<15 { talks[index].conversation.add(&random, number: number) }
        }
        var unsent = talks.map { $0.conversation.bytes[...] }
        while let index = unsent.indices.filter({ !unsent[$0].isEmpty }).randomElement(using: &random) {
            let count = Int.random(in: 1...700, using: &random)
            try talks[index].client.send(Array(unsent[index].prefix(count)))
            unsent[index] = unsent[index].dropFirst(count)
        }
        for index in talks.indices {
            talks[index].client.halfClose()
            while let line = try talks[index].client.stream.line() {
                try talks[index].conversation.check(line)
            }
            let left = talks[index].conversation
            #expect(left.plain.isEmpty && left.ids.isEmpty && left.nameless == 0, "\(left)")
        }
        #expect(try daemon.ask("daemon:queue") == .good(""))
    }

    @Test(arguments: 1...4) func `noise harms nobody`(seed: UInt64) throws {
        var random = Random(seed: seed)
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_LINE": "300", "DOKKU_DAEMON_MAX_INPUT": "1000"])
        let alphabet = Array("{}[]\":,\\ \n\r\0'<>/tests:argid0123stdin_length\u{1b}é".utf8)
        for _ in 0..<40 {
            let client = try daemon.connect()
            let count = Int.random(in: 1...2000, using: &random)
            try client.send((0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 })
            if Bool.random(using: &random) { client.halfClose() }
        }
        #expect(try daemon.ask("test:args alive") == .good("<alive>"))
        #expect(try daemon.stop() == .status(0))
    }
}

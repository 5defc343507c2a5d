// The schema that the documentation gives is one that refuses something: the tests lean on it. What it says is what an
// implementation of JSON Schema of somebody else's takes it to say.
import Testing

@Suite struct SchemaTests {
    private static let allowed = [
        #"{"ok":true,"output":""}"#, #"{"id":1,"command":["apps:list"]}"#,
        #"{"command":"x","stdin":"","stdin_chunks":false}"#, #"{"command":"x","stdin_length":0}"#,
        #"{"command":"x","stdin_chunks":true,"encoding":"base64","strip_ansi":false}"#,
        #"{"command":"x","descriptors":true,"terminal":"xterm-256color"}"#,
        #"{"command":"x","descriptors":true,"stdin_chunks":true}"#,
        #"{"command":"x","descriptors":false,"stdin":"","detach":false}"#,
        #"{"id":"a","event":"queued","job":12,"position":2}"#, #"{"id":2,"event":"continue"}"#,
        #"{"event":"output","stream":"stderr","data":""}"#,
        #"{"ok":false,"error":"misconfigured","output":"x"}"#,
        #"{"id":7,"ok":true,"exit_status":0,"output":"x","queued_ms":3,"run_ms":412}"#,
        #"{"event":"end","job":1,"ok":true,"exit_status":0,"queued_ms":0,"run_ms":0}"#,
    ]

    private static let refused = [
        "{}", "[]", "null", "1", #""apps:list""#, #"{"anything":1}"#, #"{"command":[]}"#,
        #"{"command":"x","stdin":"","stdin_length":0}"#, #"{"command":"x","stdin":"","stdin_chunks":true}"#,
        #"{"command":"x","stdin_length":1,"stdin_chunks":true}"#,
        #"{"command":"x","encoding":"base64","strip_ansi":true}"#, #"{"ok":true,"output":"","command":"x"}"#,
        #"{"event":"output","stream":"stdin","data":""}"#, #"{"ok":true,"output":"","more":1}"#,
        #"{"command":"x","terminal":"xterm"}"#, #"{"command":"x","descriptors":false,"terminal":"xterm"}"#,
        #"{"command":"x","descriptors":true,"terminal":"a/b"}"#, #"{"command":"x","descriptors":1}"#,
        #"{"command":"x","descriptors":true,"stdin":""}"#,
        #"{"command":"x","descriptors":true,"stdin_length":0}"#,
        #"{"command":"x","descriptors":true,"detach":true}"#,
    ]

    @Test func `the schema allows exactly what a line may be`() throws {
        for line in Self.allowed {
            #expect(Schema.ofProtocol.accepts(try JSON(Array(line.utf8))), "\(line)")
        }
        for line in Self.refused {
            #expect(!Schema.ofProtocol.accepts(try JSON(Array(line.utf8))), "\(line)")
        }
    }

    @Test func `another implementation reads the schema alike`() throws {
        let lines = (Self.allowed + Self.refused).joined(separator: "\n")
        let verdicts = try PipedProgram.run(
            ["/usr/bin/python3", DaemonProcess.client("validate.py")], input: lines + "\n")
        let expected = Self.allowed.map { _ in "yes" } + Self.refused.map { _ in "no" }
        #expect(verdicts.split(separator: "\n").map(String.init) == expected)
    }

    @Test(arguments: [
        #"{"ok":true,"output":""}"#,
        #"{"id":7,"ok":true,"exit_status":0,"output":"x","queued_ms":3,"run_ms":412}"#,
        #"{"ok":false,"exit_status":null,"signal":"SIGTERM","output":"","queued_ms":0,"run_ms":1,"error":"timeout"}"#,
        #"{"id":"a","event":"queued","job":12,"position":2}"#, #"{"event":"started","job":12}"#,
        #"{"event":"output","stream":"stderr","data":""}"#, #"{"ok":false,"error":"denied","output":"no"}"#,
        #"{"event":"end","job":1,"ok":true,"exit_status":0,"queued_ms":0,"run_ms":0}"#,
    ]) func `lines of the daemon are allowed`(line: String) throws {
        #expect(Schema.ofProtocol.accepts(try JSON(Array(line.utf8)), as: "reply"))
    }

    @Test(arguments: [
        "{}", "[]", "null", #"{"ok":1,"output":""}"#, #"{"ok":true}"#, #"{"ok":true,"output":"","more":1}"#,
        #"{"ok":false,"error":"other","output":""}"#, #"{"ok":true,"error":"denied","output":""}"#,
        #"{"event":"queued","job":0,"position":1}"#, #"{"event":"output","stream":"stdin","data":""}"#,
        #"{"ok":true,"exit_status":256,"output":"","queued_ms":0,"run_ms":0}"#,
        #"{"ok":true,"exit_status":0,"signal":"SIGTERM","output":"","queued_ms":0,"run_ms":0}"#,
        #"{"id":1.5,"ok":true,"exit_status":0,"output":"","queued_ms":0,"run_ms":0}"#,
        #"{"event":"end","ok":true,"exit_status":0,"output":"","queued_ms":0,"run_ms":0}"#,
    ]) func `any other line is not allowed`(line: String) throws {
        #expect(!Schema.ofProtocol.accepts(try JSON(Array(line.utf8)), as: "reply"))
    }

    @Test(arguments: [
        (#"{"command":["apps:list"],"id":-9007199254740992,"timeout":0.5}"#, true),
        (#"{"command":"apps:list","stdin":"","stream":true,"on_disconnect":"cancel"}"#, true),
        ("{}", false), (#"{"command":[]}"#, false), (#"{"command":[1]}"#, false),
        (#"{"command":"x","id":null}"#, false), (#"{"command":"x","timeout":0}"#, false),
        (#"{"command":"x","stdin_length":-1}"#, false), (#"{"command":"x","encoding":"utf8"}"#, false),
        (#"{"command":"x","more":1}"#, false),
    ]) func `requests are judged too`(line: String, isAllowed: Bool) throws {
        #expect(Schema.ofProtocol.accepts(try JSON(Array(line.utf8)), as: "request") == isAllowed)
    }

    @Test func `a keyword that is not known here allows nothing`() {
        #expect(!Schema(root: ["$defs": ["x": ["maxLength": 9]]]).accepts("a", as: "x"))
    }
}

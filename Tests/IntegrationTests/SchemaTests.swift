// The schema that the documentation gives is one that refuses something: the tests lean on it.
import Testing

@Suite struct SchemaTests {
    @Test(arguments: [
        #"{"ok":true,"output":""}"#,
        #"{"id":7,"ok":true,"exit_status":0,"output":"x","queued_ms":3,"run_ms":412}"#,
        #"{"ok":false,"exit_status":null,"signal":"SIGTERM","output":"","queued_ms":0,"run_ms":1,"error":"timeout"}"#,
        #"{"id":"a","event":"queued","job":12,"position":2}"#, #"{"event":"started","job":12}"#,
        #"{"event":"output","stream":"stderr","data":""}"#, #"{"ok":false,"error":"denied","output":"no"}"#,
        #"{"event":"end","job":1,"ok":true,"exit_status":0,"queued_ms":0,"run_ms":0}"#,
    ]) func whatTheDaemonSaysIsAllowed(line: String) throws {
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
    ]) func anythingElseIsNot(line: String) throws {
        #expect(!Schema.ofProtocol.accepts(try JSON(Array(line.utf8)), as: "reply"))
    }

    @Test(arguments: [
        (#"{"command":["apps:list"],"id":-9007199254740992,"timeout":0.5}"#, true),
        (#"{"command":"apps:list","stdin":"","stream":true,"on_disconnect":"cancel"}"#, true),
        ("{}", false), (#"{"command":[]}"#, false), (#"{"command":[1]}"#, false),
        (#"{"command":"x","id":null}"#, false), (#"{"command":"x","timeout":0}"#, false),
        (#"{"command":"x","stdin_length":-1}"#, false), (#"{"command":"x","encoding":"utf8"}"#, false),
        (#"{"command":"x","more":1}"#, false),
    ]) func requestsAreJudgedToo(line: String, isAllowed: Bool) throws {
        #expect(Schema.ofProtocol.accepts(try JSON(Array(line.utf8)), as: "request") == isAllowed)
    }

    @Test func aKeywordThatIsNotKnownHereAllowsNothing() {
        #expect(!Schema(root: ["$defs": ["x": ["pattern": "a"]]]).accepts("a", as: "x"))
    }
}

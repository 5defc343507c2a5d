// JSON requests: what each key does, and what a request gets that is none.
import TestSupport
import Testing

@Suite struct JSONRequestTests {
    @Test func `the answer has its keys in order`() throws {
        let client = try DaemonProcess().connect()
        try client.send(#"{"id":7,"command":["apps:create","python-app"]}"# + "\n")
        let line = try client.line()
        let shape =
            /\{"id":7,"ok":true,"exit_status":0,"output":"Creating python-app... done","queued_ms":\d+,"run_ms":\d+\}/
        #expect(line.wholeMatch(of: shape) != nil, "\(line)")
    }

    @Test func `the words of a command arrive exactly`() throws {
        let words: [JSON] = [
            "test:args", "", "a b", #"KEY=a "b" c"#, "'", "\\", "a\nb", "$HOME", "*", ";", "<", "/etc/passwd",
            ">", "-x",
            "--force", "\u{e9}\u{1f600}", "{", "end",
        ]
        let answer = try DaemonProcess().ask(["command": .list(words)])
        #expect(answer["ok"] == true && answer["exit_status"] == 0)
        let expected = words.dropFirst().compactMap(\.text).map { "<\($0)>" }.joined(separator: "\n")
        #expect(answer["output"]?.text == expected)
    }

    @Test func `a string is split as a line is`() throws {
        let client = try DaemonProcess().connect()
        #expect(try client.ask(["command": #"test:args 'a  b' x"y"\ z"#])["output"] == "<a  b>\n<xy z>")
        // But for redirection, which it does not know.
        #expect(try client.ask(["command": "test:args < /etc/passwd"])["output"] == "<<>\n</etc/passwd>")
        #expect(try client.ask(["command": "test:args 'a"])["error"] == "invalid_request")
    }

    @Test(
        arguments: [
            "", "7", "a\"b\\c\nd\u{0}\u{1f600}", .integer(0), -1, 9_007_199_254_740_992,
            -9_007_199_254_740_992,
        ] as [JSON]) func `the id comes back`(id: JSON) throws
    {
        let client = try DaemonProcess().connect()
        #expect(try client.ask(["id": id, "command": ["test:args"]])["id"] == id)
        #expect(try client.ask(["id": id, "command": ["daemon:version"]])["id"] == id)
        #expect(try client.ask(["id": id, "command": ["nonsense"]])["id"] == id)
        let answer = try client.stream(["id": id, "command": ["test:args", "x"], "stream": true])
        #expect(answer.events.count >= 3)
        #expect((answer.events + [answer.end]).allSatisfy { $0["id"] == id })
    }

    @Test func `a request without an id gets none back`() throws {
        let answer = try DaemonProcess().stream(["command": ["test:args", "x"], "stream": true])
        #expect((answer.events + [answer.end]).allSatisfy { $0["id"] == nil })
    }

    @Test func `the status is the command's own`() throws {
        let client = try DaemonProcess().connect()
        let missing = try client.ask(["command": ["apps:exists", "nobody"]])
        #expect(missing["ok"] == false && missing["exit_status"] == 20 && missing["error"] == nil)
        #expect(missing["output"] == " !     App nobody does not exist")
        #expect(try client.ask(["command": ["test:exit", "255"]])["exit_status"] == 255)
        let killed = try client.ask(["command": ["test:signal", "KILL"]])
        #expect(killed["ok"] == false && killed["exit_status"] == .null && killed["signal"] == "SIGKILL")
        #expect(killed["output"] == "dying")
    }

    @Test func `standard input is what was given`() throws {
        let client = try DaemonProcess().connect()
        let text = "a \"b\"\n\u{0}\u{1f600}\n"
        #expect(
            try client.ask(["command": ["test:stdin"], "stdin": .text(text)])["output"]?.text
                == "a \"b\"\n\u{0}\u{1f600}")
        #expect(try client.ask(["command": ["test:stdin"], "stdin": ""])["output"] == "")
        #expect(try client.ask(["command": ["test:stdin"]])["output"] == "")
        try client.send(
            #"{"command":["test:stdin"],"stdin_length":5}"# + "\n{}\n\n{{\"command\":\"test:args x\"}\n")
        #expect(try client.answer()["output"] == "{}\n\n{")
        #expect(try client.answer()["output"] == "<x>")
    }

    @Test func `an empty input counts as given`() throws {
        let client = try DaemonProcess().connect()
        let command: JSON = ["config:import", "app"]
        #expect(try client.ask(["command": command])["error"] == "requires_stdin")
        #expect(try client.ask(["command": command, "stdin": ""])["exit_status"] != nil)
        try client.send(#"{"command":["config:import","app"],"stdin_length":0}"# + "\n")
        #expect(try client.answer()["exit_status"] != nil)
    }

    @Test func `base64 keeps both outputs apart and exact`() throws {
        let client = try DaemonProcess().connect()
        let answer = try client.ask(["command": ["test:both", "2"], "encoding": "base64"])
        #expect(answer["output"] == "b3V0IDAKb3V0IDEK" && answer["stderr"] == "ZXJyIDAKZXJyIDEK")
        #expect(try client.ask(["command": ["test:args"], "encoding": "base64"])["stderr"] == "")
        let version = try client.ask(["command": ["daemon:version"], "encoding": "base64"])
        #expect(version["stderr"] == "")
        #expect(try client.ask(["command": ["test:args", "x"], "encoding": "utf-8"])["stderr"] == nil)
    }

    @Test func `standard error keeps its own order`() throws {
        let answer = try DaemonProcess().connect().request(#"{"command":"test:both 100"}"#)
        let lines = try #require(answer["output"]?.text).split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("out") } == (0..<100).map { "out \($0)" })
        #expect(lines.filter { $0.hasPrefix("err") } == (0..<100).map { "err \($0)" })
        #expect(lines.count == 200)
    }

    @Test func `escape sequences stay unless told otherwise`() throws {
        let daemon = try DaemonProcess()
        let file = try daemon.box.write("a\u{1b}[31mb\u{1b}]0;t\u{7}c\n\n", to: "text")
        let command: JSON = ["test:bytes", .text(file)]
        #expect(try daemon.ask(["command": command])["output"] == "a\u{1b}[31mb\u{1b}]0;t\u{7}c")
        #expect(
            try daemon.ask(["command": command, "strip_ansi": false])["output"]
                == "a\u{1b}[31mb\u{1b}]0;t\u{7}c")
        #expect(try daemon.ask(["command": command, "strip_ansi": true])["output"] == "abc")
        let events = try daemon.stream(["command": command, "strip_ansi": true, "stream": true])
        #expect(events.text("stdout") == "abc\n\n")
    }

    @Test func `enter runs if it has a command`() throws {
        let client = try DaemonProcess().connect()
        #expect(try client.ask(["command": ["enter", "app", "web", "ls", "-l"]])["exit_status"] == 0)
        #expect(try client.ask(["command": ["enter", "app", "web"]])["error"] == "not_supported")
        #expect(try client.ask(["command": ["enter", "app"]])["error"] == "not_supported")
        #expect(try client.ask(["command": ["shell"], "stdin": "x"])["error"] == "not_supported")
    }

    @Test func `built-ins answer in JSON too`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        for name in ["commands", "daemon:version", "daemon:status", "daemon:help", "refresh"] {
            let answer = try client.ask(["id": 1, "command": [.text(name)]])
            #expect(answer["ok"] == true && answer["output"]?.text?.isEmpty == false, "\(name)")
            let streamed = try client.stream(["id": 1, "command": [.text(name)], "stream": true])
            #expect(streamed.course == ["output"] && streamed.events.count == 1, "\(name)")
            #expect(streamed.end["ok"] == true && streamed.end["job"] == nil, "\(name)")
            #expect(streamed.text("stdout").hasPrefix(answer["output"]?.text?.prefix(10) ?? "?"), "\(name)")
        }
    }

    @Test(arguments: [
        #"{"command":["apps:list"],"id":1,}"#, #"{"command":["apps:list"],"id":1"#,
        #"{"command":["apps:list"],"id":1}}"#,
        #"{"command":["apps:list"],"id":1} x"#, #"{"command":["apps:list"],"id":1,"id":1}"#,
        #"{"id":1,"command":["apps:list"],"command":["apps:list"]}"#,
        #"{"id":1,"command":["apps:list"],"unknown":null}"#,
        #"{"id":1,"command":["apps:list"],"Stream":true}"#,
        #"{"id":1}"#, #"{"id":1,"command":[]}"#, #"{"id":1,"command":""}"#, #"{"id":1,"command":"  "}"#,
        #"{"id":1,"command":[1]}"#, #"{"id":1,"command":[["apps:list"]]}"#, #"{"id":1,"command":null}"#,
        #"{"id":1,"command":{"a":1}}"#, #"{"id":1,"command":["apps:list\u0000"]}"#,
        #"{"id":1,"command":"apps:list\u0000"}"#,
        #"{"id":1,"command":["apps:list"],"stream":1}"#, #"{"id":1,"command":["apps:list"],"stream":"true"}"#,
        #"{"id":1,"command":["apps:list"],"stream":null}"#, #"{"id":1,"command":["apps:list"],"stdin":7}"#,
        #"{"id":1,"command":["apps:list"],"encoding":"utf8"}"#,
        #"{"id":1,"command":["apps:list"],"encoding":null}"#,
        #"{"id":1,"command":["apps:list"],"encoding":"base64","strip_ansi":true}"#,
        #"{"id":1,"command":["apps:list"],"timeout":0}"#, #"{"id":1,"command":["apps:list"],"timeout":-1}"#,
        #"{"id":1,"command":["apps:list"],"timeout":"1"}"#,
        #"{"id":1,"command":["apps:list"],"timeout":1e999}"#,
        #"{"id":1,"command":["apps:list"],"on_disconnect":"die"}"#,
        #"{"id":1,"command":["apps:list"],"on_disconnect":true}"#,
        #"{"id":1,"command":["apps:list"],"stdin":"\ud800"}"#, #"{"id":1,"command":["apps:list"],'x':1}"#,
        #"{"id":1,"command":["apps:list"]/**/}"#, #"{"id":1,"command":["apps:list"],"timeout":NaN}"#,
        #"{"id":1,"command":["apps:list"],"timeout":01}"#, #"{"id":1,"command":["apps:list"],"timeout":+1}"#,
    ]) func `a wrong request is an error with its id`(line: String) throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try client.send(line + "\n")
        let answer = try client.answer()
        #expect(answer["error"] == "invalid_request" && answer["id"] == 1)
        #expect(answer["output"]?.text?.isEmpty == false)
        // The connection is as good as before.
        #expect(try client.ask(["command": ["--quiet", "apps:list"]])["exit_status"] == 0)
        #expect(daemon.ran == ["--quiet apps:list"])
    }

    /// Where its input ends nobody can tell.
    @Test(arguments: [
        #"{"id":1,"command":["apps:list"],"stdin_length":-1}"#,
        #"{"id":1,"command":["apps:list"],"stdin_length":1.5}"#,
        #"{"id":1,"command":["apps:list"],"stdin_length":"1"}"#,
        #"{"id":1,"command":["apps:list"],"stdin_length":1e3}"#,
        #"{"id":1,"command":["apps:list"],"stdin_lenght":9}"#,
    ]) func `a request with an input of unknown length is the last`(line: String) throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try client.send(line + "\n--quiet apps:list\n")
        let answer = try client.answer()
        #expect(answer["error"] == "invalid_request" && answer["id"] == 1)
        #expect(try client.ends())
        #expect(daemon.ran == [])
    }

    @Test(arguments: [
        #"{"command":["apps:list"],"id":9007199254740993}"#, #"{"command":["apps:list"],"id":1.0}"#,
        #"{"command":["apps:list"],"id":1e3}"#, #"{"command":["apps:list"],"id":null}"#,
        #"{"command":["apps:list"],"id":[1]}"#,
        #"{"command":["apps:list"],"id":99999999999999999999999999}"#, "{", "{}", "  {\"a\"",
        "{\"id\":\"\\ud800\"}",
    ]) func `an invalid id is not given back`(line: String) throws {
        let client = try DaemonProcess().connect()
        try client.send(line + "\n")
        let answer = try client.answer()
        #expect(answer["error"] == "invalid_request" && answer["id"] == nil)
    }

    @Test func `an error of a streamed request is its end`() throws {
        let client = try DaemonProcess().connect()
        for line in [
            #"{"id":1,"stream":true,"command":["nonsense"]}"#, #"{"id":1,"stream":true,"command":[]}"#,
            #"{"id":1,"stream":true,"command":["apps:list"],}"#,
        ] {
            try client.send(line + "\n")
            let answer = try client.answer()
            #expect(answer["event"] == "end" && answer["ok"] == false && answer["id"] == 1, "\(line)")
        }
    }
}

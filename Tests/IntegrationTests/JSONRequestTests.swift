// Requests in JSON: each key, each error, and several of them open on one connection.
import Glibc
import Testing

@Suite struct JSONRequestTests {
    @Test func theAnswerHasItsKeysInOrder() throws {
        let client = try Daemon().connect()
        try client.send(#"{"id":7,"command":["apps:create","python-app"]}"# + "\n")
        let line = try client.line()
        let shape =
            /\{"id":7,"ok":true,"exit_status":0,"output":"Creating python-app... done","queued_ms":\d+,"run_ms":\d+\}/
        #expect(line.wholeMatch(of: shape) != nil, "\(line)")
    }

    @Test func theExitStatusIsDokkus() throws {
        let client = try Daemon().connect()
        let answer = try client.request(#"{"id":"é\u0000\"","command":"apps:exists none"}"#)
        #expect(answer["id"] == .text("é\0\""))
        #expect(answer["ok"] == .bool(false) && answer["exit_status"] == .number(20))
        #expect(answer["output"] == .text(" !     App none does not exist"))
        #expect(answer["error"] == nil)
        for status in [0, 1, 126, 255] {
            #expect(try client.request(#"{"command":"test:exit \#(status)"}"#)["exit_status"]?.int == status)
        }
    }

    @Test func aSignalIsNamed() throws {
        let client = try Daemon().connect()
        let answer = try client.request(#"{"command":["test:signal","SEGV"]}"#)
        #expect(answer["exit_status"] == .null && answer["signal"] == .text("SIGSEGV"))
        #expect(answer["ok"] == .bool(false) && answer["output"] == .text("dying"))
    }

    @Test func argumentsNeedNoQuoting() throws {
        let client = try Daemon().connect()
        let answer = try client.request(
            #"{"command":["test:args","","a \"b\" c","'","\\","$HOME","\n","<","\u00e9"]}"#)
        #expect(answer["output"] == .text("<>\n<a \"b\" c>\n<'>\n<\\>\n<$HOME>\n<\n>\n<<>\n<é>"))
        let split = try client.request(#"{"command":"test:args 'a b' \"c\\\\\" > /tmp/never"}"#)
        #expect(split["output"] == .text("<a b>\n<c\\>\n<>>\n</tmp/never>"))
    }

    @Test func escapesStayUnlessTheyAreToGo() throws {
        let daemon = try Daemon()
        let file = try daemon.box.write("colours", "\u{1b}[31mred\u{1b}[0m\n\n")
        let client = try daemon.connect()
        #expect(
            try client.request(#"{"command":"test:bytes \#(file)"}"#)["output"]
                == .text("\u{1b}[31mred\u{1b}[0m"))
        let stripped = try client.request(#"{"command":"test:bytes \#(file)","strip_ansi":true}"#)
        #expect(stripped["output"] == .text("red"))
    }

    @Test func standardErrorKeepsItsOwnOrder() throws {
        let answer = try Daemon().connect().request(#"{"command":"test:both 100"}"#)
        let lines = try #require(answer["output"]?.text).split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("out") } == (0..<100).map { "out \($0)" })
        #expect(lines.filter { $0.hasPrefix("err") } == (0..<100).map { "err \($0)" })
        #expect(lines.count == 200)
    }

    @Test func base64KeepsTheTwoApart() throws {
        let answer = try Daemon().connect().request(#"{"command":"test:both 1","encoding":"base64"}"#)
        #expect(answer["output"] == .text("b3V0IDAK") && answer["stderr"] == .text("ZXJyIDAK"))
    }

    @Test func inputInTheRequest() throws {
        let client = try Daemon().connect()
        let answer = try client.request(
            #"{"command":"test:stdin","stdin":"a\nb \u00e9\u0000","encoding":"utf-8"}"#)
        #expect(answer["output"] == .text("a\nb é\0"))
        #expect(try client.request(#"{"command":"config:import app","stdin":""}"#)["ok"] == .bool(true))
        #expect(
            try client.request(#"{"command":"ssh-keys:add me","stdin":"ssh-rsa AAAA"}"#)["ok"] == .bool(true))
    }

    @Test func severalAreOpenAndToldApart() throws {
        let daemon = try Daemon()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        #expect(try client.ask("commands").ok)
        try client.order(#"{"id":1,"command":"test:block \#(fifo.path)"}"#)
        try client.order(#"{"id":2,"command":"apps:create a"}"#)
        try client.order(#"{"id":3,"command":"nonsense"}"#)
        try client.order(#"{"id":4,"command":"daemon:version"}"#)
        #expect(try client.answer()["id"] == .number(3))
        #expect(try client.answer()["id"] == .number(4))
        try fifo.release()
        #expect(try client.answer()["id"] == .number(1))
        #expect(try client.answer()["id"] == .number(2))
    }

    @Test func beyondTheOpenOnesNoneIsRead() throws {
        let daemon = try Daemon(["DOKKU_DAEMON_MAX_OPEN": "2"])
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.order(#"{"id":1,"command":"test:block \#(fifo.path)"}"#)
        try client.order(#"{"id":2,"command":"test:args a"}"#)
        try client.order(#"{"id":3,"command":"daemon:version"}"#)
        try daemon.settle()
        try fifo.release()
        #expect(try client.answer()["id"] == .number(1))
        let rest = try [client.answer()["id"]?.int, client.answer()["id"]?.int]
        #expect(Set(rest) == [2, 3])
    }

    @Test func plainAndJSONOnOneConnection() throws {
        let client = try Daemon().connect()
        try client.send("apps:create a\n  {\"id\":1,\"command\":\"apps:create b\"}\r\n--quiet apps:list\n")
        #expect(try client.reply() == .good("Creating a... done"))
        var list: JSON?
        for _ in 0..<2 {
            let answer = try client.answer()
            if answer["id"] == nil { list = answer["output"] }
        }
        #expect(list == .text("a\nb"))
    }

    @Test(arguments: [
        (#"{"id":9,"command":"nonsense"}"#, "invalid_command"),
        (#"{"id":9,"command":["a/b"]}"#, "invalid_command"),
        (#"{"id":9,"command":"apps:destroy a"}"#, "requires_force"),
        (#"{"id":9,"command":"shell"}"#, "not_supported"),
        (#"{"id":9,"command":"config:import a"}"#, "requires_stdin"),
        (#"{"id":9,"command":"enter a web"}"#, "not_supported"),
        (#"{"id":9,"command":"daemon:cancel 77"}"#, "invalid_request"),
    ]) func whatIsNotRunHasACode(request: String, code: String) throws {
        let client = try Daemon().connect()
        let answer = try client.request(request)
        #expect(answer["error"] == .text(code) && answer["id"] == .number(9))
        #expect(answer["output"]?.text?.isEmpty == false)
        let streamed = try client.request(request.dropLast() + #","stream":true}"#)
        #expect(streamed["error"] == .text(code) && streamed["event"] == .text("end"))
    }

    @Test func whatNeverEndsRunsStreamedAlone() throws {
        let client = try Daemon().connect()
        for request in [#"{"command":"logs a -t"}"#, #"{"command":["events","-t"],"stdin":""}"#] {
            #expect(try client.request(request)["error"] == .text("not_supported"))
        }
    }

    @Test(arguments: [
        "{", "{}", "{]", "{\"command\":}", "{\"id\":9}", "{\"command\":\"\"}", "{\"command\":[]}",
        "{\"command\":[1]}",
        "{\"command\":1}", "{\"command\":null}", "{\"command\":\"'\"}", "{\"command\":[\"a\\u0000\"]}",
        "{\"command\":\"version\",\"id\":1.5}", "{\"command\":\"version\",\"id\":null}",
        "{\"command\":\"version\",\"id\":9007199254740993}",
        "{\"command\":\"version\",\"stream\":1}", "{\"command\":\"version\",\"nonsense\":1}",
        "{\"command\":\"version\",\"command\":\"version\"}",
        "{\"command\":\"version\",\"encoding\":\"latin1\"}", "{\"command\":\"version\",\"timeout\":\"1\"}",
        "{\"command\":\"version\",\"timeout\":-1}", "{\"command\":\"version\",\"timeout\":0}",
        "{\"command\":\"version\",\"timeout\":1e999}",
        "{\"command\":\"version\",\"on_disconnect\":\"maybe\"}", "{\"command\":\"version\",\"stdin\":1}",
        "{\"command\":\"version\",\"stdin\":\"\",\"stdin_length\":0}",
        "{\"command\":\"version\",\"strip_ansi\":true,\"encoding\":\"base64\"}",
        "{\"command\":\"version\"} x", "{\"command\":\"version\",}", "{\"command\":\"version\"}{}",
        "{'command':'version'}",
        "{\"command\":\"\\ud800\"}", "{\"command\":\"ver\tsion\"}", "{\"command\":\"version\" /* */}",
        "{\"command\":NaN}",
        "{\"command\":\"version\",\"stdin_length\":-1}", "{\"command\":\"version\",\"stdin_length\":1.5}",
        "{\"command\":\"version\",\"stdin_length\":\"1\"}",
    ]) func whatIsNoRequestIsOneError(line: String) throws {
        let daemon = try Daemon()
        let client = try daemon.connect()
        try client.send(line + "\n")
        let answer = try client.answer()
        #expect(answer["error"] == .text("invalid_request"), "\(answer)")
        #expect(try client.ask("test:args on") == .good("<on>"))
        #expect(daemon.ran == ["test:args on"])
    }

    @Test func theIdComesBackWhereItCouldBeRead() throws {
        let client = try Daemon().connect()
        for line in [
            #"{"id":9,"command":1}"#, #"{"nonsense":1,"command":"version","id":9}"#,
            #"{"command":["x"],"id":9,"stream":"y"}"#,
        ] {
            try client.send(line + "\n")
            #expect(try client.answer()["id"] == .number(9), "\(line)")
        }
    }
}

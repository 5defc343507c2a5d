// Live output: what a command writes is with the client before the command goes on.
import Glibc
import Testing

@Suite struct StreamTests {
    @Test func eachLineComesBeforeTheNextIsWritten() throws {
        let daemon = try Daemon()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.order(#"{"id":7,"command":"test:lines \#(fifo.path)","stream":true}"#)
        let queued = try client.answer()
        #expect(
            queued
                == .object([
                    "id": .number(7), "event": .text("queued"), "job": .number(1), "position": .number(1),
                ]))
        let started = try client.answer()
        #expect(started == .object(["id": .number(7), "event": .text("started"), "job": .number(1)]))
        for (said, stream, data) in [
            ("one", "stdout", "one\n"), ("e two", "stderr", "two\n"), ("n part", "stdout", "part"),
            ("\u{1b}[1m", "stdout", "\u{1b}[1m\n"),
            ("", "stdout", "\n"), ("e ", "stderr", "\n"),
        ] {
            try fifo.say(said)
            let event = try client.answer()
            #expect(
                event["stream"] == .text(stream) && event["data"] == .text(data) && event["id"] == .number(7))
        }
        try fifo.say("end")
        let end = try client.answer()
        #expect(end["event"] == .text("end") && end["job"] == .number(1) && end["output"] == nil)
        #expect(end["ok"] == .bool(true) && end["exit_status"] == .number(0))
    }

    @Test func theEventsAreWrittenAsTheyAreSpecified() throws {
        let client = try Daemon().connect()
        try client.order(#"{"id":"x","command":"test:both 1","stream":true}"#)
        #expect(try client.line() == #"{"id":"x","event":"queued","job":1,"position":1}"#)
        #expect(try client.line() == #"{"id":"x","event":"started","job":1}"#)
        let outputs = try Set([client.line(), client.line()])
        #expect(
            outputs == [
                #"{"id":"x","event":"output","stream":"stdout","data":"out 0\n"}"#,
                #"{"id":"x","event":"output","stream":"stderr","data":"err 0\n"}"#,
            ])
        let end = /\{"id":"x","event":"end","job":1,"ok":true,"exit_status":0,"queued_ms":\d+,"run_ms":\d+\}/
        let line = try client.line()
        #expect(line.wholeMatch(of: end) != nil, "\(line)")
    }

    @Test func aCharacterIsNeverCutInTwo() throws {
        let daemon = try Daemon()
        let whole = Array("<\u{20ac}\u{1f600}\u{e9}>".utf8)
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        for cut in 1..<whole.count {
            try daemon.box.write("left", Array(whole[..<cut]))
            try daemon.box.write("right", Array(whole[cut...]))
            try client.order(
                #"{"command":["test:halves","\#(fifo.path)","\#(daemon.box.path("left"))","\#(daemon.box.path("right"))"],"stream":true}"#
            )
            try daemon.box.journal.wait("the first half") { lines in
                lines.filter { $0.hasPrefix("half ") }.count == cut ? true : nil
            }
            try daemon.settle()
            try fifo.release()
            let events = try client.events()
            #expect(events.data() == "<\u{20ac}\u{1f600}\u{e9}>", "cut at \(cut)")
            #expect(events.filter { $0["event"] == .text("output") }.count == 2)
        }
    }

    @Test func half() throws {
        let daemon = try Daemon()
        let file = try daemon.box.write("half", [0x61, 0xe2, 0x82])
        let client = try daemon.connect()
        try client.order(#"{"command":"test:bytes \#(file)","stream":true}"#)
        #expect(try client.events().data() == "a\u{fffd}")
    }

    @Test func base64EventsAreExact() throws {
        let daemon = try Daemon()
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ ($0 >> 8)) }
        let file = try daemon.box.write("bytes", bytes)
        let client = try daemon.connect()
        try client.order(#"{"command":"test:bytes \#(file)","stream":true,"encoding":"base64"}"#)
        let events = try client.events().filter { $0["event"] == .text("output") }
        let decoded = try events.flatMap { try decodeBase64($0["data"]?.text ?? "?") }
        #expect(decoded == bytes)
    }

    @Test func positionsAreThoseInTheQueue() throws {
        let daemon = try Daemon()
        let fifo = try daemon.box.fifo()
        let clients = try (0..<3).map { _ in try daemon.connect() }
        for (place, client) in clients.enumerated() {
            try client.order(#"{"command":"test:block \#(fifo.path)","stream":true}"#)
            let queued = try client.answer()
            #expect(queued["position"]?.int == max(1, place) && queued["job"]?.int == place + 1)
            if place == 0 { #expect(try client.answer()["event"] == .text("started")) }
        }
        for (place, client) in clients.enumerated() {
            try fifo.release()
            let events = try client.events()
            #expect(events.data() == (place == 0 ? "waiting\ndone\n" : "waiting\ndone\n"))
        }
    }

    @Test func builtInsAndRefusalsEndAStreamToo() throws {
        let client = try Daemon().connect()
        try client.order(#"{"id":1,"command":"commands","stream":true}"#)
        let events = try client.events()
        #expect(events.count == 2 && events.data("stdout").contains("apps:create"))
        #expect(events.last?["job"] == nil && events.last?["ok"] == .bool(true))
        try client.order(#"{"id":2,"command":"nonsense","stream":true}"#)
        let refused = try client.events()
        #expect(refused.count == 1 && refused[0]["error"] == .text("invalid_command"))
    }

    @Test func aGrandchildDelaysNoEnd() throws {
        let daemon = try Daemon(["DOKKU_DAEMON_DRAIN_GRACE": "0.1"])
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.order(#"{"command":"test:grandchild \#(fifo.path)","stream":true}"#)
        #expect(try client.events().data() == "done\n")
        try fifo.release()
        try daemon.box.journal.line(with: "wrote ")
        #expect(try client.ask("test:args on") == .good("<on>"))
    }
}

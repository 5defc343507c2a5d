// Output as it happens. The command waits on a FIFO between any two of its writes, so that nothing can have been
// held back until the end.
import Foundation
import TestSupport
import Testing

@Suite struct StreamingTests {
    private func follower(
        _ more: [String: JSON] = [:]
    ) throws -> (daemon: DaemonProcess, client: TestClient, fifo: Fifo) {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        let request: [String: JSON] = [
            "id": 7, "command": ["test:lines", .text(fifo.path)], "stream": true,
        ]
        try client.send(.object(request.merging(more) { $1 }))
        return (daemon, client, fifo)
    }

    @Test func `each line is there before the next is written`() throws {
        let (_, client, fifo) = try follower()
        #expect(try client.answer() == ["id": 7, "event": "queued", "job": 1, "position": 1])
        #expect(try client.answer() == ["id": 7, "event": "started", "job": 1])
        for text in ["one", "", "\u{e9}\u{1f600}", "tab\there"] {
            try fifo.say(text)
            #expect(
                try client.answer() == [
                    "id": 7, "event": "output", "stream": "stdout", "data": .text(text + "\n"),
                ])
        }
        try fifo.say("e on standard error")
        #expect(
            try client.answer()
                == ["id": 7, "event": "output", "stream": "stderr", "data": "on standard error\n"])
        try fifo.say("n without an end")
        #expect(
            try client.answer() == ["id": 7, "event": "output", "stream": "stdout", "data": "without an end"])
        try fifo.say("end")
        let end = try client.answer()
        #expect(end["event"] == "end" && end["job"] == 1 && end["ok"] == true && end["exit_status"] == 0)
        #expect(end["output"] == nil)
    }

    @Test func `the events are written as they are specified`() throws {
        let client = try DaemonProcess().connect()
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

    @Test func `base64 events are exact`() throws {
        let daemon = try DaemonProcess()
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ ($0 >> 8)) }
        let file = try daemon.box.write(bytes, to: "bytes")
        let client = try daemon.connect()
        try client.order(#"{"command":"test:bytes \#(file)","stream":true,"encoding":"base64"}"#)
        let events = try client.events().filter { $0["event"] == .text("output") }
        let decoded = try events.flatMap { try #require(Data(base64Encoded: $0["data"]?.text ?? "?")) }
        #expect(decoded == bytes)
    }

    @Test func `base64 stands for itself in each event`() throws {
        let (_, client, fifo) = try follower(["encoding": "base64"])
        for _ in 0..<2 { _ = try client.answer() }
        for (text, data) in [("n a", "YQ=="), ("n bc", "YmM="), ("e x", "eAo="), ("", "Cg==")] {
            try fifo.say(text)
            #expect(try client.answer()["data"] == .text(data))
        }
        try fifo.say("end")
        #expect(try client.answer()["event"] == "end")
    }

    @Test func `both outputs are told apart`() throws {
        let answer = try DaemonProcess().stream(["command": ["test:both", "300"], "stream": true])
        #expect(answer.text("stdout") == (0..<300).map { "out \($0)\n" }.joined())
        #expect(answer.text("stderr") == (0..<300).map { "err \($0)\n" }.joined())
        #expect(answer.course.prefix(3) == ["queued", "started", "output"])
    }

    /// The first half is read and sent before the second is written; only what is cut waits.
    @Test func `no character is cut in two`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let whole = Array("<\u{e9}\u{20ac}\u{1f600}>".utf8)
        let client = try daemon.connect()
        for cut in 1..<whole.count {
            let left = try daemon.box.write(Array(whole[..<cut]), to: "left")
            let right = try daemon.box.write(Array(whole[cut...]), to: "right")
            try client.send([
                "command": ["test:halves", .text(fifo.path), .text(left), .text(right)], "stream": true,
            ])
            #expect(try client.answer()["event"] == "queued")
            #expect(try client.answer()["event"] == "started")
            let first = try #require(try client.answer()["data"]?.text)
            #expect(!first.isEmpty && Array(whole[..<cut]).starts(with: first.utf8), "cut at \(cut)")
            try fifo.release()
            let rest = try client.outcome()
            #expect(first + rest.text("stdout") == "<\u{e9}\u{20ac}\u{1f600}>", "cut at \(cut)")
            #expect(rest.end["ok"] == true)
        }
    }

    /// What is still half a character at the end is no character.
    @Test func `a character that was never completed is replaced`() throws {
        let daemon = try DaemonProcess()
        let file = try daemon.box.write([0x61, 0xe2, 0x82], to: "bytes")
        let answer = try daemon.stream(["command": ["test:bytes", .text(file)], "stream": true])
        #expect(answer.text("stdout") == "a\u{fffd}")
    }

    @Test func `positions and numbers count`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let blocker = try daemon.connect()
        try blocker.send(["command": ["test:block", .text(fifo.path)], "stream": true])
        #expect(try blocker.answer() == ["event": "queued", "job": 1, "position": 1])
        // Each waits for the one before it.
        let clients = try (2...4).map { job in
            let client = try daemon.connect()
            try client.send(["command": ["test:args", "x"], "stream": true])
            #expect(
                try client.answer() == [
                    "event": "queued", "job": .integer(job), "position": .integer(job - 1),
                    "waits_for": .integer(job - 1),
                ])
            return client
        }
        try fifo.release()
        #expect(try blocker.outcome().end["job"] == 1)
        for (index, client) in clients.enumerated() {
            let answer = try client.outcome()
            #expect(answer.course == ["started", "output"])
            #expect(answer.end["job"] == .integer(index + 2))
        }
    }

    @Test func `times are those of waiting and running`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        // Both wait before the first of them starts.
        let fifo = try daemon.box.fifo()
        try client.send(["id": 0, "command": ["test:block", .text(fifo.path)]])
        try client.send(["id": 1, "command": ["test:wait", "0.2"]])
        try client.send(["id": 2, "command": ["test:args"]])
        try Deadline().poll("three jobs") {
            try daemon.ask("daemon:queue").output.split(separator: "\n").count >= 3
        }
        try fifo.release()
        let (_, first, second) = (try client.answer(), try client.answer(), try client.answer())
        let run = try #require(first["run_ms"]?.int)
        #expect(run >= 200)
        #expect(second["queued_ms"]?.int ?? 0 >= run && second["id"] == 2)
    }

    @Test func `a command without output has no output event`() throws {
        let answer = try DaemonProcess().stream(["command": ["test:exit", "3"], "stream": true])
        #expect(answer.course == ["queued", "started"])
        #expect(answer.end["ok"] == false && answer.end["exit_status"] == 3)
    }

    /// The output of a process that outlives its command is waited for a moment, and then is nobody's.
    @Test func `the end comes without a grandchild's later words`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_DRAIN_GRACE": "0.1"])
        let fifo = try daemon.box.fifo()
        let answer = try daemon.stream(["command": ["test:grandchild", .text(fifo.path)], "stream": true])
        #expect(answer.text("stdout") == "done\n" && answer.end["ok"] == true)
        try fifo.release()
        try daemon.box.journal.line(with: "wrote ")
        #expect(try daemon.ask("daemon:version").ok)
    }
}

// Jobs that outlive their clients: submitted, waited for, read, cancelled and forgotten.
import Glibc
import TestSupport
import Testing

@Suite struct DetachTests {
    // MARK: Submitting

    @Test func `a detached request is answered with its number at once`() throws {
        let (daemon, fifo) = try DaemonProcess.withDetachedJob()
        let line = try daemon.connect()
        try line.order(#"{"id":7,"command":"test:args a","detach":true}"#)
        #expect(try line.line() == #"{"id":7,"ok":true,"job":2}"#)
        #expect(try daemon.ask("daemon:submit test:args b") == .good("3"))
        let asked = try daemon.ask(["id": 1, "command": ["daemon:submit", "test:args", "c d"]])
        #expect(asked["output"] == "4" && asked["exit_status"] == 0)
        let streamed = try daemon.stream(["command": ["daemon:submit", "test:args", "e"], "stream": true])
        #expect(streamed.text("stdout") == "5" && streamed.end["ok"] == true)
        try fifo.release()
        #expect(try daemon.ask("daemon:wait 1") == .good("waiting\ndone"))
        #expect(try daemon.ask("daemon:wait 4").output.contains("c d"))
        #expect(try daemon.ask("daemon:wait 5").ok)
        #expect(
            daemon.ran.map { $0.split(separator: " ")[0] } == ["test:block"]
                + Array(repeating: "test:args", count: 4))
    }

    @Test(arguments: [
        #""stream":true"#, #""encoding":"utf-8""#, #""encoding":"base64""#, #""strip_ansi":true"#,
        #""on_disconnect":"finish""#,
    ])
    func `who asks later says how it is answered`(member: String) throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try client.send(#"{"id":1,"command":"test:args a","detach":true,\#(member)}"# + "\n")
        let answer = try client.answer()
        #expect(answer["error"] == "invalid_request" && answer["id"] == 1)
        #expect(try daemon.ask(["command": "test:args b", "detach": false])["ok"] == true)
        #expect(daemon.ran == ["test:args b"])
    }

    @Test func `global flags before daemon:submit are the command's`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("--app blog --quiet daemon:submit --trace test:args x") == .good("1"))
        #expect(
            try daemon.ask(["command": ["--force", "daemon:submit", "apps:destroy", "blog"]])["output"] == "2"
        )
        #expect(try !daemon.ask("daemon:wait 2").output.isEmpty)
        #expect(daemon.ran == ["--app blog --quiet --trace test:args x", "--force apps:destroy blog"])
    }

    @Test(arguments: [
        ("daemon:submit", "invalid_request"), ("daemon:submit daemon:status", "invalid_request"),
        ("daemon:submit daemon:submit apps:list", "invalid_request"),
        ("daemon:submit no:such", "invalid_command"),
        ("daemon:submit apps:destroy x", "requires_force"), ("daemon:submit logs x -t", "not_supported"),
        ("daemon:submit certs:generate x", "requires_stdin"), ("daemon:wait", "invalid_request"),
        ("daemon:wait 1 2", "invalid_request"), ("daemon:wait x", "invalid_request"),
        ("daemon:wait 1", "unknown_job"), ("daemon:output 1", "unknown_job"),
        ("daemon:forget 1", "unknown_job"),
    ])
    func `what cannot be done is refused`(line: String, error: JSON) throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask(["command": .text(line)])["error"] == error)
        #expect(try daemon.ask(line).ok == false)
        #expect(daemon.ran.isEmpty)
    }

    @Test func `read-only sockets neither detach nor see output`() throws {
        let box = try Box()
        let sockets = [
            try BoundSocket(box.path("socket")), try BoundSocket(box.path("reads"), name: "read-only"),
        ]
        let daemon = try DaemonProcess(box, sockets: sockets)
        #expect(try daemon.submit("apps:list") == 1)
        #expect(try daemon.ask("daemon:wait 1").ok)
        let reads = try daemon.connect(box.path("reads"))
        for command in ["daemon:submit apps:list", "daemon:wait 1", "daemon:output 1", "daemon:forget 1"] {
            #expect(try reads.ask(["command": .text(command)])["error"] == "denied")
        }
        #expect(try reads.ask(["command": "apps:list", "detach": true])["error"] == "denied")
    }

    @Test func `the list has what is kept and what runs and waits`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.submit("config:set", "app", "KEY=hush", "word") == 1)
        #expect(try !daemon.ask("daemon:wait 1").output.isEmpty)
        #expect(try daemon.submit("test:exit", "3") == 2)
        _ = try daemon.ask("daemon:wait 2")
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        #expect(try daemon.submit("apps:list") == 4)
        let jobs = try daemon.value(of: "daemon:jobs --format json", as: "jobsAnswer").list ?? []
        #expect(jobs.map { $0["job"] } == [1, 2, 3, 4])
        #expect(jobs.map { $0["state"] } == ["ended", "ended", "running", "waiting"])
        #expect(jobs.map { $0["detached"] } == [true, true, nil, true])
        #expect(jobs[1]["exit_status"] == 3 && jobs[1]["ok"] == false && jobs[1]["error"] == nil)
        let lines = try daemon.ask("daemon:jobs").output.split(separator: "\n")
        #expect(lines.count == 4 && lines[1].hasPrefix("2 ended at ") && lines[1].contains("status=3"))
        #expect(
            lines[0].contains("config:set") && lines[0].contains("***") && !lines[0].contains("hush")
                && lines[2].hasPrefix("3 running since "))
        #expect(try daemon.queue().count == 2)
        try fifo.release()
        #expect(try client.reply().ok)
    }

    // MARK: Inputs and files

    @Test(arguments: [0, 5, 3_000_000]) func `the input is kept until the job runs`(count: Int) throws {
        let (daemon, fifo) = try DaemonProcess.withDetachedJob()
        let input =
            String(repeating: "0123456789abcde\n", count: count / 16)
            + String(repeating: "x", count: count % 16)
        let client = try daemon.connect()
        try client.order(#"{"id":1,"command":"test:digest","detach":true,"stdin_length":\#(count)}"#)
        try client.send(input)
        #expect(try client.answer()["job"] == 2)
        try fifo.release()
        let expected = try PipedProgram.run(["/usr/bin/sha256sum"], input: input).prefix(64)
        #expect(try daemon.ask("daemon:wait 2") == .good(String(expected)))
    }

    @Test func `a submitted line may name a file`() throws {
        let daemon = try DaemonProcess()
        let file = daemon.box.path("out")
        #expect(try daemon.ask("daemon:submit test:both 2 > \(file)") == .good("1"))
        #expect(try daemon.ask("daemon:wait 1") == .good("err 0\nerr 1"))
        #expect(try daemon.box.read("out") == "out 0\nout 1\n")
    }

    // MARK: Waiting

    @Test func `each asker gets the result in its own form`() throws {
        let daemon = try DaemonProcess()
        _ = try daemon.box.write("a\u{1B}[1mb\u{1B}[0m\n", to: "bytes")
        #expect(try daemon.submit("test:bytes", daemon.box.path("bytes")) == 1)
        #expect(try daemon.ask("daemon:wait 1") == .good("ab"))
        let answer = try daemon.ask(["id": "x", "command": "daemon:wait 1"])
        #expect(
            answer["output"] == "a\u{1B}[1mb\u{1B}[0m" && answer["job"] == 1 && answer["exit_status"] == 0)
        #expect(answer["id"] == "x" && answer["queued_ms"] != nil && answer["run_ms"] != nil)
        #expect(try daemon.ask(["command": "daemon:wait 1", "strip_ansi": true])["output"] == "ab")
        let exact = try daemon.ask(["command": "daemon:wait 1", "encoding": "base64"])
        #expect(exact["output"] == "YRtbMW1iG1swbQo=" && exact["stderr"] == "")
        let streamed = try daemon.stream(["command": "daemon:wait 1", "stream": true])
        #expect(streamed.text("stdout") == "a\u{1B}[1mb\u{1B}[0m\n" && streamed.end["job"] == 1)
    }

    @Test func `the streams of a job stay apart`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("daemon:submit test:both 3") == .good("1"))
        let exact = try daemon.stream(["command": "daemon:wait 1", "stream": true])
        #expect(
            exact.text("stdout") == "out 0\nout 1\nout 2\n" && exact.text("stderr") == "err 0\nerr 1\nerr 2\n"
        )
    }

    @Test func `who streams sees what was written and then what comes`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        #expect(try daemon.submit("test:lines", fifo.path) == 1)
        try fifo.say("first")
        let early = try daemon.connect()
        try early.send(["command": "daemon:wait 1", "stream": true])
        #expect(try early.answer()["data"] == "first\n")
        try fifo.say("second")
        #expect(try early.answer()["data"] == "second\n")
        let late = try daemon.connect()
        try late.send(["command": "daemon:wait 1", "stream": true])
        #expect(try late.answer()["data"] == "first\n")
        #expect(try late.answer()["data"] == "second\n")
        #expect(try daemon.ask("daemon:output 1") == .good("first\nsecond"))
        let plain = try daemon.connect()
        try plain.send("daemon:wait 1\n")
        try fifo.say("end")
        for client in [early, late] { #expect(try client.answer()["exit_status"] == 0) }
        #expect(try plain.reply() == .good("first\nsecond"))
    }

    @Test func `output that was cut is not said to be whole`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_OUTPUT": "10"])
        let fifo = try daemon.box.fifo()
        #expect(try daemon.submit("test:lines", fifo.path) == 1)
        let live = try daemon.connect()
        try live.send(["command": "daemon:wait 1", "stream": true])
        try fifo.say("0123")
        #expect(try live.answer()["data"] == "0123\n")
        #expect(try daemon.ask(["command": "daemon:output 1"])["ok"] == true)
        try fifo.say("456789")
        #expect(try live.answer()["data"] == "45678")
        for isRunning in [true, false] {
            if !isRunning {
                try fifo.say("end")
                #expect(try live.answer()["error"] == "output_truncated")
            }
            let answer = try daemon.ask(["command": "daemon:output 1"])
            #expect(answer["ok"] == false && answer["error"] == "output_truncated")
            #expect(answer["output"] == "0123\n45678" && answer["output_truncated"] == true)
            let reply = try daemon.ask("daemon:output 1")
            #expect(!reply.ok && reply.output == "0123\n45678\nThe output was cut after 10 bytes")
        }
    }

    @Test func `askers read at their own pace`() throws {
        let daemon = try DaemonProcess()
        let count = 20_000_000
        let slow = try daemon.connect()
        #expect(try daemon.ask("daemon:submit test:big \(count)") == .good("1"))
        try slow.send(["id": 1, "command": "daemon:wait 1", "stream": true])
        // The pages of its reply are not written before it reads.
        #expect(try daemon.ask("daemon:wait 1").output.utf8.count == count)
        let answer = try slow.outcome()
        #expect(answer.text("stdout").utf8.count == count && answer.end["ok"] == true)
        #expect(try daemon.peakMemory() < 120_000)
    }

    @Test func `a client that leaves is forgotten and its job goes on`() throws {
        let (daemon, fifo) = try DaemonProcess.withDetachedJob()
        var askers = try (0..<4).map { _ in try daemon.connect() }
        try askers[0].send("daemon:wait 1\n")
        for index in 1..<4 {
            try askers[index].send(["id": 1, "command": "daemon:wait 1", "stream": .bool(index > 1)])
        }
        try daemon.settle()
        askers.removeAll()
        try daemon.settle()
        try fifo.release()
        #expect(try daemon.ask("daemon:wait 1") == .good("waiting\ndone"))
    }

    // MARK: Ends

    @Test func `a failed job says how it ended`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.submit("test:exit", "7") == 1)
        let answer = try daemon.ask(["command": "daemon:wait 1"])
        #expect(answer["ok"] == false && answer["exit_status"] == 7 && answer["job"] == 1)
    }

    @Test func `a waiting and a running job are cancelled`() throws {
        let (daemon, _) = try DaemonProcess.withDetachedJob()
        #expect(try daemon.submit("apps:create", "never") == 2)
        let askers = try (1...2).map { number in
            let client = try daemon.connect()
            try client.send(["id": 1, "command": "daemon:wait \(number)"])
            return client
        }
        try daemon.settle()
        #expect(try daemon.ask("daemon:cancel 2").ok)
        #expect(try askers[1].answer()["error"] == "cancelled")
        #expect(try daemon.ask("daemon:cancel 1").ok)
        let answer = try askers[0].answer()
        #expect(
            answer["error"] == "cancelled" && answer["signal"] == "SIGTERM" && answer["output"] == "waiting")
        #expect(daemon.ran.count == 1)
    }

    @Test func `a timeout counts for a detached job`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let answer = try daemon.ask(
            ["command": ["test:block", .text(fifo.path)], "detach": true, "timeout": 0.1])
        #expect(answer["job"] == 1)
        #expect(try daemon.ask(["command": "daemon:wait 1"])["error"] == "timeout")
    }

    @Test func `a timeout or the leaving of an asker does not end the job`() throws {
        let (daemon, fifo) = try DaemonProcess.withDetachedJob()
        let asker = try daemon.connect()
        try asker.send(["command": "daemon:wait 1", "timeout": 0.001, "on_disconnect": "cancel"])
        do {
            let leaving = try daemon.connect()
            try leaving.send(["command": "daemon:wait 1", "on_disconnect": "cancel"])
            try daemon.settle()
        }
        let other = try daemon.box.fifo("other")
        let submitted = try daemon.ask(
            ["command": ["daemon:submit", "test:block", .text(other.path)], "timeout": 0.1])
        #expect(submitted["output"] == "2")
        try fifo.release()
        #expect(try asker.answer()["output"] == "waiting\ndone")
        #expect(try daemon.ask(["command": "daemon:wait 2"])["error"] == "timeout")
    }

    @Test func `a forgotten job is unknown, and one that runs is not forgotten`() throws {
        let (daemon, fifo) = try DaemonProcess.withDetachedJob()
        #expect(try daemon.ask(["command": "daemon:forget 1"])["error"] == "invalid_request")
        try fifo.release()
        #expect(try daemon.ask("daemon:wait 1").ok)
        #expect(try daemon.ask("daemon:forget 1") == .good("Forgot job 1"))
        #expect(try daemon.ask(["command": "daemon:wait 1"])["error"] == "unknown_job")
        let log = try daemon.box.read("log")
        #expect(log.contains("daemon:forget 1") && log.contains(" detached=yes test:block"))
        #expect(try daemon.submit("apps:list") == 2)
    }

    @Test func `a job of a client cannot be waited for by its number`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        let answer = try daemon.ask(["command": "daemon:wait 1"])
        #expect(answer["error"] == "unknown_job" && answer["output"]?.text?.contains("not detached") == true)
        try fifo.release()
        #expect(try client.reply().ok)
    }
}

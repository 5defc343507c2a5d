// Commands that are ended before their time: by another client, by the clock, or with their client.
import Glibc
import TestSupport
import Testing

@Suite struct CancelTests {
    /// A daemon whose job 1 runs until it is released or ended.
    private func busy(
        _ settings: [String: String] = [:], _ command: String = "test:block", more: String = ""
    ) throws -> (daemon: DaemonProcess, client: TestClient, fifo: Fifo) {
        let daemon = try DaemonProcess(settings)
        let fifo = try daemon.box.fifo()
        _ = try daemon.box.fifo("other")
        let client = try daemon.connect()
        try client.order(
            #"{"id":1,"command":["\#(command)","\#(fifo.path)","\#(daemon.box.path("other"))"]\#(more)}"#)
        try daemon.box.journal.line(with: "held ")
        return (daemon, client, fifo)
    }

    private func expectEnded(_ answer: JSON, by signal: String, _ error: String) {
        #expect(answer["ok"] == .bool(false) && answer["error"] == .text(error))
        #expect(answer["exit_status"] == .null && answer["signal"] == .text(signal))
    }

    @Test func `a running command is cancelled`() throws {
        let (daemon, client, _) = try busy()
        #expect(try daemon.ask("daemon:cancel 1").ok)
        let answer = try client.answer()
        expectEnded(answer, by: "SIGTERM", "cancelled")
        #expect(answer["output"] == .text("waiting"))
        #expect(try client.request(#"{"command":"test:args on"}"#)["ok"] == .bool(true))
    }

    @Test func `a waiting command is cancelled and never runs`() throws {
        let (daemon, client, fifo) = try busy()
        let waiting = try daemon.connect()
        try waiting.order(#"{"id":2,"command":"apps:create never","stream":true}"#)
        #expect(try waiting.answer()["job"] == .number(2))
        let plain = try daemon.connect()
        try plain.send("apps:create neither\n")
        try daemon.settle()
        #expect(try daemon.connect().request(#"{"command":["daemon:cancel","2"]}"#)["ok"] == .bool(true))
        #expect(try daemon.ask("daemon:cancel 3").ok)
        #expect(try waiting.answer()["error"] == .text("cancelled"))
        #expect(try plain.reply().ok == false)
        try fifo.release()
        #expect(try client.answer()["ok"] == .bool(true))
        #expect(try daemon.ask("apps:list").ok)
        #expect(daemon.ran.count == 2)
    }

    @Test func `a plain reply says why the command was ended`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send("test:block \(fifo.path)\n")
        try daemon.box.journal.line(with: "held ")
        #expect(try daemon.ask("daemon:cancel 1").ok)
        let reply = try client.reply()
        #expect(!reply.ok && reply.output.hasPrefix("waiting\n") && reply.output.contains("cancelled"))
    }

    @Test func `a command that ignores TERM is killed after the grace`() throws {
        let (daemon, client, _) = try busy(["DOKKU_DAEMON_KILL_GRACE": "0.2"], "test:ignore-term")
        #expect(try daemon.ask("daemon:cancel 1").ok)
        expectEnded(try client.answer(), by: "SIGKILL", "cancelled")
        #expect(try daemon.ask("test:args on").ok)
    }

    @Test func `a stranger that holds the output delays nobody`() throws {
        let (daemon, client, fifo) = try busy(["DOKKU_DAEMON_DRAIN_GRACE": "0.1"], "test:stranger")
        #expect(try daemon.ask("daemon:cancel 1").ok)
        expectEnded(try client.answer(), by: "SIGTERM", "cancelled")
        #expect(try daemon.ask("test:args on").ok)
        try fifo.release()
    }

    @Test(arguments: ["test:block", "test:ignore-term", "test:stranger"])
    func `the clock ends a command`(command: String) throws {
        let settings = ["DOKKU_DAEMON_KILL_GRACE": "0.2", "DOKKU_DAEMON_DRAIN_GRACE": "0.1"]
        let (daemon, client, _) = try busy(settings, command, more: #","timeout":2,"stream":true"#)
        let end = try #require(try client.events().last)
        expectEnded(end, by: command == "test:ignore-term" ? "SIGKILL" : "SIGTERM", "timeout")
        #expect(try daemon.ask("test:args on").ok)
    }

    @Test func `a command that ends in time is not ended`() throws {
        let client = try DaemonProcess().connect()
        let answer = try client.request(#"{"command":"test:args quick","timeout":30}"#)
        #expect(answer["ok"] == .bool(true) && answer["error"] == nil)
    }

    @Test func `a command ends with its client if that was asked for`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_OPEN": "1"])
        let fifo = try daemon.box.fifo()
        do {
            // The connection is not read meanwhile, and its end is noticed all the same.
            let client = try daemon.connect()
            try client.order(#"{"command":"test:block \#(fifo.path)","on_disconnect":"cancel"}"#)
            try client.order(#"{"command":"test:args second","on_disconnect":"cancel"}"#)
            try daemon.box.journal.line(with: "held ")
        }
        try daemon.log.line(with: "[res] #1", "SIGTERM")
        #expect(try daemon.ask("test:args on").ok)
        #expect(!daemon.ran.contains("test:args second"))
    }

    @Test func `a waiting command leaves with its client too`() throws {
        let (daemon, client, fifo) = try busy()
        do {
            let leaving = try daemon.connect()
            try leaving.order(#"{"command":"apps:create never","on_disconnect":"cancel"}"#)
            try daemon.settle()
        }
        try daemon.log.line(with: "[res] #2")
        try fifo.release()
        #expect(try client.answer()["ok"] == .bool(true))
        #expect(try daemon.ask("test:args on").ok)
        #expect(!daemon.ran.contains("apps:create never"))
    }

    @Test func `a half-close is no disconnect`() throws {
        let (daemon, client, fifo) = try busy(more: #","on_disconnect":"cancel""#)
        client.halfClose()
        try daemon.settle()
        try fifo.release()
        #expect(try client.answer()["output"] == .text("waiting\ndone"))
        #expect(try client.ends())
    }

    @Test func `a command otherwise finishes without its client`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        do {
            let client = try daemon.connect()
            try client.order(#"{"command":"test:block \#(fifo.path)"}"#)
            try daemon.box.journal.line(with: "held ")
        }
        try daemon.settle()
        try fifo.release()
        try daemon.log.line(with: "[res] #1", "status=0")
    }

    @Test func `the queue names what runs and what waits`() throws {
        let (daemon, client, fifo) = try busy()
        #expect(try client.request(#"{"id":0,"command":"daemon:help"}"#)["ok"] == .bool(true))
        let waiting = try daemon.connect()
        try waiting.send("config:set app SECRET=hush\n")
        try daemon.settle()
        let lines = try daemon.ask("daemon:queue").output.split(separator: "\n").map(String.init)
        try #require(lines.count == 2)
        #expect(
            lines[0].hasPrefix("1 ") && lines[0].contains("running")
                && lines[0].contains("test:block \(fifo.path)"))
        #expect(
            lines[1].hasPrefix("2 ") && lines[1].contains("waiting")
                && lines[1].contains("config:set app SECRET="))
        #expect(!lines[1].contains("hush"))
        for line in lines { #expect(line.contains("pid=\(getpid())") && line.contains("uid=\(getuid())")) }
        let status = try daemon.ask("daemon:status").output
        for word in [
            "version", "since", "connections", "run", "failed", "running: 1", "waiting: 1", "catalogue",
        ] {
            #expect(status.contains(word), "\(word) in \(status)")
        }
        try fifo.release()
        #expect(try client.answer()["ok"] == .bool(true))
        #expect(try waiting.reply().ok == false)
        #expect(try daemon.ask("daemon:queue") == .good(""))
    }

    @Test(arguments: [
        "daemon:cancel", "daemon:cancel 99", "daemon:cancel x", "daemon:cancel -1", "daemon:cancel 1 2",
    ])
    func `a number that is no job cancels nothing`(line: String) throws {
        let (daemon, client, fifo) = try busy()
        #expect(try daemon.ask(line).ok == false)
        try fifo.release()
        #expect(try client.answer()["ok"] == .bool(true))
    }
}

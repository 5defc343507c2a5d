// The daemon's own commands as JSON: the value is what the schema says, and has what the text has.
import Foundation
import TestSupport
import Testing

extension DaemonProcess {
    /// The JSON value of a built-in's plain reply, which the schema must allow under this name.
    func value(of line: String, as definition: String, on socket: String? = nil) throws -> JSON {
        let reply = try connect(socket).ask(line)
        let value = try JSON(Array(reply.output.utf8))
        guard reply.ok, Schema.ofProtocol.accepts(value, as: definition) else {
            throw Overdue(what: "a \(definition) that the schema allows, not \(reply.output.prefix(1000))")
        }
        return value
    }

    func queue() throws -> [JSON] {
        try value(of: "daemon:queue --format json", as: "queueAnswer").list ?? []
    }
}

extension JSON {
    /// How a daemon describes the process of the tests.
    static func thisClient(of daemon: DaemonProcess) -> JSON {
        var members: [String: JSON] = [
            "pid": .integer(Int(getpid())), "uid": .integer(Int(getuid())), "gid": .integer(Int(getgid())),
            "listener": .text(daemon.path),
        ]
        if ControlGroup.own != "/" { members["cgroup"] = .text(ControlGroup.own) }
        return .object(members)
    }
}

@Suite struct FormatTests {
    @Test func `a client can ask for features`() throws {
        let daemon = try DaemonProcess()
        let value = try daemon.value(of: "daemon:version --format json", as: "versionAnswer")
        #expect(try value["version"]?.text == daemon.ask("daemon:version").output)
        #expect(value["features"]?.list?.contains("stdin_chunks") == true)
        #expect(value["features"]?.list?.contains("format_json") == true)
    }

    @Test func `every form of request gets the same value`() throws {
        let daemon = try DaemonProcess()
        let plain = try daemon.ask("daemon:version --format=json").output
        let single = try daemon.ask(["command": ["daemon:version", "--format", "json"]])
        #expect(single["output"]?.text == plain)
        let stream = try daemon.stream(["command": ["daemon:version", "--format", "json"], "stream": true])
        #expect(stream.text("stdout") == plain && stream.end["ok"] == true)
        #expect(try daemon.ask("daemon:version --format stdout") == daemon.ask("daemon:version"))
    }

    @Test func `the status has what the text has`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_READERS": "3", "DOKKU_DAEMON_WORKERS": "2"])
        let before = time(nil)
        #expect(try daemon.ask("commands").ok && !daemon.ask("test:exit 3").ok)
        let value = try daemon.value(of: "daemon:status --format json", as: "statusAnswer")
        #expect(value["commands_run"] == 1 && value["commands_failed"] == 1)
        #expect(value["running"] == 0 && value["waiting"] == 0)
        #expect(value["readers"] == ["busy": 0, "limit": 3] && value["workers"] == ["busy": 0, "limit": 2])
        #expect(try #require(value["connections"]?.int) > 0)
        #expect(abs(try #require(value["started_at"]?.int) - before) <= 60)
        let catalogue = try #require(value["catalogue"])
        #expect(abs(try #require(catalogue["read_at"]?.int) - before) <= 60)
        let count = try daemon.ask("commands").output.split(separator: "\n").count
        #expect(catalogue["commands"] == .integer(count))
    }

    @Test func `the queue says who sent what, and what it waits for`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.queue() == [])
        let fifo = try daemon.box.fifo()
        let blocker = try daemon.connect()
        try blocker.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        let others = try (0..<3).map { _ in try daemon.connect() }
        for (client, line) in zip(others, ["config:set app KEY=hush", "apps:list", "apps:list"]) {
            try client.send(line + "\n")
            try daemon.settle()
        }
        let queue = try daemon.queue()
        #expect(queue.map { $0["job"] } == [1, 2, 3, 4])
        #expect(queue.map { $0["state"] } == ["running", "waiting", "waiting", "waiting"])
        #expect(queue.map { $0["waits_for"] } == [nil, 1, 2, nil])
        #expect(queue.map { $0["runs_with"] } == [nil, nil, nil, 3])
        #expect(queue.map { $0["started_at"] != nil } == [true, false, false, false])
        #expect(queue[1]["command"] == "config:set app KEY=***")
        let client = JSON.thisClient(of: daemon)
        for job in queue { #expect(job["client"] == client) }
        // The same revision has the same answer, and another one has another.
        #expect(try daemon.queue() == queue)
        #expect(try daemon.ask("daemon:cancel 2").ok)
        #expect(try daemon.queue().map { $0["waits_for"] } == [nil, 1, nil])
        try fifo.release()
        #expect(try blocker.reply().ok && others[2].reply().ok)
        #expect(try daemon.queue() == [])
    }

    @Test func `who holds the lock is said`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("test:args x").ok)
        let lock = daemon.box.path("lock")
        let file = try checked("open", open(lock, O_RDWR | O_CLOEXEC))
        defer { close(file) }
        #expect(flock(file, LOCK_EX) == 0)
        let client = try daemon.connect()
        try client.send("test:args y\n")
        try daemon.settle()
        let status = try daemon.value(of: "daemon:status --format json", as: "statusAnswer")
        #expect(status["waits_for_lock"]?["path"] == .text(lock))
        #expect(status["waits_for_lock"]?["holder"]?["pid"] == .integer(Int(getpid())))
        #expect(try daemon.queue().first?["waits_for_lock"] == status["waits_for_lock"])
        #expect(flock(file, LOCK_UN) == 0)
        #expect(try client.reply().ok)
        let after = try daemon.value(of: "daemon:status --format json", as: "statusAnswer")
        #expect(after["waits_for_lock"] == nil)
    }

    @Test func `a read-only socket gives it, too`() throws {
        let box = try Box()
        let daemon = try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"), name: "read-only")])
        for (line, name) in [
            ("daemon:version", "versionAnswer"), ("daemon:status", "statusAnswer"),
            ("daemon:queue", "queueAnswer"),
        ] {
            _ = try daemon.value(of: "\(line) --format json", as: name)
        }
        let refused = try daemon.ask(["command": ["daemon:queue", "--format", "yaml"]])
        #expect(refused["error"] == "invalid_request")
    }
}

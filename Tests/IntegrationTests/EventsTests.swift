// Those who follow what happens see each job's way in its order, without secrets, and delay nobody.
import Foundation
import TestSupport
import Testing

extension TestClient {
    /// The next events of jobs, written short: `queued 1`.
    fileprivate func course(_ count: Int) throws -> [String] {
        try (0..<count).map { _ in try answer().short }
    }
}

extension JSON {
    fileprivate var short: String {
        guard self["event"] == "job" else { return self["event"]?.text ?? "end" }
        return "\(self["state"]?.text ?? "") \(self["job"]?.int ?? 0)"
    }
}

@Suite struct EventsTests {
    private static let request: JSON = ["id": 1, "command": ["daemon:events"], "stream": true]

    /// A client that follows, and has read what was so already.
    private func follower(_ daemon: DaemonProcess, _ socket: String? = nil) throws -> TestClient {
        // The first reading of the list of commands is an event, too.
        #expect(try daemon.ask("commands").ok)
        let client = try daemon.connect(socket)
        try client.send(Self.request)
        while try client.answer() != ["id": 1, "event": "live"] {}
        return client
    }

    private func daemon(
        _ sockets: [String: String] = ["socket": ""], _ settings: [String: String] = [:]
    ) throws -> DaemonProcess {
        let box = try Box()
        return try DaemonProcess(
            box, sockets: sockets.sorted { $0.key > $1.key }.map { try BoundSocket(box.path($0), name: $1) },
            settings: settings)
    }

    // MARK: What is told

    @Test func `each job is told from its beginning to its end`() throws {
        let daemon = try daemon()
        let client = try follower(daemon)
        let before = time(nil)
        #expect(try !daemon.ask("test:exit 3").ok)
        let events = try (0..<3).map { _ in try client.answer() }
        #expect(events.map(\.short) == ["queued 1", "started 1", "ended 1"])
        let sender = JSON.thisClient(of: daemon)
        for event in events {
            #expect(event["id"] == 1 && event["command"] == "test:exit 3" && event["client"] == sender)
            #expect(try (before...before + 60).contains(#require(event["queued_at"]?.int)))
        }
        let end = events[2]
        #expect(end["ok"] == false && end["exit_status"] == 3 && end["error"] == nil)
        #expect(
            end["run_ms"] != nil && end["queued_ms"] != nil && end["started_at"] == events[1]["started_at"])
        #expect(try (before...before + 60).contains(#require(end["ended_at"]?.int)))
    }

    @Test func `a signal and an early end are told`() throws {
        let daemon = try daemon()
        let client = try follower(daemon)
        #expect(try !daemon.ask("test:signal KILL").ok)
        #expect(try client.course(2) == ["queued 1", "started 1"])
        let end = try client.answer()
        #expect(end["exit_status"] == .null && end["signal"] == "SIGKILL" && end["error"] == nil)
        let fifo = try daemon.box.fifo()
        defer { withExtendedLifetime(fifo) {} }
        try daemon.connect().send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        try daemon.connect().send("apps:create x\n")
        try daemon.settle()
        #expect(try daemon.ask("daemon:cancel 3").ok && daemon.ask("daemon:cancel 2").ok)
        #expect(try client.course(3) == ["queued 2", "started 2", "queued 3"])
        let waiting = try client.answer()
        #expect(waiting.short == "ended 3" && waiting["error"] == "cancelled" && waiting["ok"] == false)
        #expect(waiting["exit_status"] == nil && waiting["started_at"] == nil)
        let running = try client.answer()
        #expect(
            running.short == "ended 2" && running["error"] == "cancelled" && running["signal"] == "SIGTERM")
    }

    @Test func `what runs and waits is told first`() throws {
        let daemon = try daemon()
        let fifo = try daemon.box.fifo()
        let clients = try (0..<3).map { _ in try daemon.connect() }
        try clients[0].send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        for client in clients.dropFirst() {
            try client.send("apps:exists none\n")
            try daemon.settle()
        }
        let follower = try daemon.connect()
        try follower.send(Self.request)
        #expect(try follower.course(4) == ["started 1", "queued 2", "queued 3", "live"])
        try fifo.release()
        for client in clients { _ = try client.reply() }
        let events = try (0..<5).map { _ in try follower.answer() }
        // The output of the first may end after its process.
        let course = events.filter { $0["job"] != 1 }
        #expect(events.filter { $0["job"] == 1 }.map(\.short) == ["ended 1"])
        // The two ask the same, so they share a run.
        #expect(course.map(\.short) == ["started 2", "started 3", "ended 2", "ended 3"])
        #expect(course.map { $0["runs_with"] } == [nil, 2, nil, 2])
    }

    @Test func `endless commands and those that cannot start are told`() throws {
        let daemon = try daemon()
        let client = try follower(daemon)
        let log = try daemon.connect()
        let fifo = try daemon.box.fifo()
        try log.send(["command": ["logs", .text(fifo.path), "-t"], "stream": true])
        #expect(try client.course(2) == ["queued 1", "started 1"])
        #expect(try daemon.ask("daemon:cancel 1").ok)
        #expect(try client.course(1) == ["ended 1"])
        #expect(try !daemon.ask("apps:list > \(daemon.box.path)/no/folder").ok)
        #expect(try client.course(2) == ["queued 2", "started 2"])
        let end = try client.answer()
        #expect(
            end.short == "ended 2" && end["ok"] == false && end["error"] != nil && end["exit_status"] == nil)
    }

    @Test func `no secret is told`() throws {
        let daemon = try daemon()
        let client = try follower(daemon)
        _ = try daemon.ask("config:set app KEY=hush1")
        _ = try daemon.ask(["command": ["test:stdin"], "stdin": "hush2"])
        _ = try daemon.ask("registry:login host user hush3")
        _ = try daemon.ask("hush4")
        _ = try daemon.ask("git:sync app https://user:hush5@host/x")
        #expect(try daemon.ask("refresh").ok)
        var lines = ""
        repeat { lines = try lines + client.line() + "\n" } while !lines.contains(#""refreshed""#)
        #expect(!lines.contains("hush"), "\(lines)")
        #expect(lines.contains(#""command":"config:set app KEY=***"#))
    }

    @Test func `a new list of commands is told`() throws {
        let daemon = try daemon()
        let client = try follower(daemon)
        let before = time(nil)
        #expect(try daemon.ask("refresh").ok)
        let event = try client.answer()
        let count = try daemon.ask("commands").output.split(separator: "\n").count
        #expect(event["event"] == "refreshed" && event["commands"] == .integer(count))
        #expect(try (before...before + 60).contains(#require(event["read_at"]?.int)))
    }

    // MARK: Who may follow

    @Test func `only a streamed request may follow`() throws {
        let daemon = try daemon()
        let reply = try daemon.ask("daemon:events")
        #expect(!reply.ok && reply.output.contains(#""stream":true"#))
        #expect(try daemon.ask(["command": "daemon:events"])["error"] == "not_supported")
        #expect(
            try daemon.stream(["command": "daemon:events x", "stream": true]).end["error"]
                == "invalid_request")
    }

    @Test(arguments: ["read-only", "one-shot", "raw-words"])
    func `a socket with rules may follow`(rule: String) throws {
        let daemon = try daemon(["socket": "", "other": rule])
        let client = try follower(daemon, daemon.box.path("other"))
        #expect(try daemon.ask("test:args x").ok)
        #expect(try client.course(3) == ["queued 1", "started 1", "ended 1"])
    }

    @Test func `many may follow and no more`() throws {
        let daemon = try daemon(["socket": "", "other": "read-only"])
        let restricted = daemon.box.path("other")
        var followers = try (0..<12).map { _ in try follower(daemon, restricted) }
        let refused = try daemon.connect(restricted).stream(Self.request).end
        #expect(refused["error"] == "queue_full" && refused["id"] == 1)
        followers += try (0..<4).map { _ in try follower(daemon) }
        #expect(try daemon.stream(Self.request).end["error"] == "queue_full")
        #expect(try daemon.ask("test:args x").ok)
        for client in followers { #expect(try client.course(3) == ["queued 1", "started 1", "ended 1"]) }
        // Who leaves makes room.
        followers.removeLast()
        try daemon.settle()
        followers.append(try follower(daemon))
        #expect(try daemon.ask("test:args y").ok)
        #expect(try followers[15].course(1) == ["queued 2"])
    }

    @Test func `one connection may follow and send commands`() throws {
        let daemon = try daemon()
        let client = try follower(daemon)
        try client.send(["id": 2, "command": ["test:args", "x"]])
        var events: [JSON] = []
        while events.count < 4 { events.append(try client.answer()) }
        #expect(events.filter { $0["id"] == 1 }.map(\.short) == ["queued 1", "started 1", "ended 1"])
        #expect(events.first { $0["id"] == 2 }?["output"] == "<x>")
        // A half-close ends nothing.
        client.halfClose()
        #expect(try daemon.ask("test:args y").ok)
        #expect(try client.course(3) == ["queued 2", "started 2", "ended 2"])
    }

    // MARK: Stops

    @Test func `a stop is told with the ends of all jobs`() throws {
        let daemon = try daemon(["socket": ""], ["DOKKU_DAEMON_STOP_GRACE": "600"])
        let fifo = try daemon.box.fifo()
        let clients = try (0..<3).map { _ in try daemon.connect() }
        try clients[0].send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        for client in clients.dropFirst() {
            try client.send("apps:create x\n")
            try daemon.settle()
        }
        let client = try follower(daemon)
        daemon.process.signal(SIGTERM)
        #expect(try client.course(1) == ["stopping"])
        for number in 2...3 {
            let event = try client.answer()
            #expect(event.short == "ended \(number)" && event["error"] == "shutting_down")
        }
        try fifo.release()
        let last = try client.answer()
        #expect(last.short == "ended 1" && last["ok"] == true)
        let end = try client.answer()
        #expect(
            end == [
                "id": 1, "event": "end", "ok": false, "error": "shutting_down",
                "output": "The daemon is stopping",
            ])
        #expect(try client.ends())
        #expect(try daemon.process.wait() == .status(0))
    }

    @Test func `a stop without a running command tells all waiting ones`() throws {
        let daemon = try daemon()
        #expect(try daemon.ask("test:args x").ok)
        let lock = try checked("open", open(daemon.box.path("lock"), O_RDWR | O_CLOEXEC))
        defer { close(lock) }
        try checked("flock", flock(lock, LOCK_EX))
        let clients = try (0..<3).map { _ in try daemon.connect() }
        for client in clients {
            try client.send("apps:create x\n")
            try daemon.settle()
        }
        let client = try follower(daemon)
        daemon.process.signal(SIGTERM)
        #expect(try client.course(5) == ["stopping", "ended 2", "ended 3", "ended 4", "end"])
        #expect(try client.ends() && daemon.process.wait() == .status(0))
    }

    // MARK: Those who do not read

    /// Its events are lost and counted, and nobody else misses one.
    @Test func `who does not read loses events and is told how many`() throws {
        let daemon = try daemon()
        #expect(try daemon.ask("test:args x").ok)
        let deaf = try follower(daemon)
        let clients = try (0..<32).map { _ in try daemon.connect() }
        let jobs = 10_000
        for (number, client) in clients.enumerated() {
            let count = jobs / clients.count + (number < jobs % clients.count ? 1 : 0)
            try client.send(String(repeating: "apps:list\n", count: count))
        }
        let memory = try Memory(of: daemon)
        for (number, client) in clients.enumerated() {
            let count = jobs / clients.count + (number < jobs % clients.count ? 1 : 0)
            for _ in 0..<count { #expect(try client.reply(patience: .seconds(300)).ok) }
        }
        let growth = try memory.growth
        print("memory for a follower that does not read: \(growth) KiB")
        #expect(growth < 8192)
        #expect(try daemon.ask("refresh").ok)
        var (events, lost, numbers) = (0, 0, [Int]())
        while true {
            let event = try deaf.answer()
            if event["event"] == "refreshed" { break }
            if let count = event["count"]?.int { lost += count } else { events += 1 }
            if event["state"] == "ended" { numbers.append(event["job"]?.int ?? 0) }
        }
        #expect(lost > 0 && events > 2000 && lost + events == 3 * jobs)
        #expect(numbers == numbers.sorted() && numbers.last == jobs + 1)
        // It goes on as if nothing had been.
        #expect(try daemon.ask("test:args y").ok)
        #expect(try deaf.course(3).map { $0.split(separator: " ")[0] } == ["queued", "started", "ended"])
    }
}

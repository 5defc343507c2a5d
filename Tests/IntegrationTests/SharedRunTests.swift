// Those who ask the same while it waits get the answer of one run.
import TestSupport
import Testing

@Suite struct SharedRunTests {
    private let daemon: DaemonProcess
    private let blocker: TestClient
    private let fifo: Fifo

    /// A daemon whose queue is held by job 1.
    init() throws {
        daemon = try DaemonProcess()
        fifo = try daemon.box.fifo()
        blocker = try daemon.connect()
        #expect(try daemon.ask("apps:create a").ok && daemon.ask("apps:create b").ok)
        try blocker.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
    }

    private func askers(_ count: Int, _ line: String) throws -> [TestClient] {
        let clients = try (0..<count).map { _ in try daemon.connect() }
        for client in clients { try client.send(line + "\n") }
        try daemon.settle()
        return clients
    }

    private func release() throws {
        try fifo.release()
        #expect(try blocker.reply().ok)
    }

    private func runs(of words: String) -> Int { daemon.ran.count { $0 == words } }

    @Test func `plain askers have one run and all others one`() throws {
        let plain = try askers(5, "apps:list")
        let json = try askers(3, #"{"command":"apps:list"}"#)
        let base64 = try askers(3, #"{"command":"apps:list","encoding":"base64"}"#)
        let streamed = try askers(2, #"{"command":["apps:list"],"stream":true}"#)
        try release()
        for client in plain { #expect(try client.reply() == .good("=====> My Apps\na\nb")) }
        for client in json { #expect(try client.answer()["output"] == "=====> My Apps\na\nb") }
        for client in base64 { #expect(try client.answer()["output"] == "PT09PT0+IE15IEFwcHMKYQpiCg==") }
        for client in streamed {
            let answer = try client.outcome()
            #expect(answer.course == ["queued", "started", "output"])
            #expect(answer.text("stdout") == "=====> My Apps\na\nb\n" && answer.end["exit_status"] == 0)
        }
        #expect(runs(of: "apps:list") == 2)
        // Each has a number of its own, and the log says whose run it was.
        let results = try (4...16).map { try daemon.log.line(with: "[res] #\($0) ", "status=0") }
        #expect(results.filter { $0.contains(" run=#4 ") }.count == 4)
        #expect(results.filter { $0.contains(" run=#9 ") }.count == 7)
        #expect(try daemon.ask("daemon:status").output.contains("\ncommands run: 16\n"))
    }

    @Test func `an answer is never older than its question`() throws {
        let hold = try daemon.box.fifo("apps:list")
        let early = try askers(1, "apps:list")[0]
        try release()
        try daemon.started("apps:list")
        let late = try askers(2, "apps:list")
        #expect(try daemon.ask("daemon:queue").output.contains("apps:list [waits for job 4]\n"))
        #expect(try daemon.ask("daemon:queue").output.hasSuffix("apps:list [runs with job 5]"))
        try hold.release()
        #expect(try early.reply().ok)
        try hold.release()
        for client in late { #expect(try client.reply().ok) }
        #expect(runs(of: "apps:list") == 2)
    }

    @Test func `a change between two questions separates nobody from his own`() throws {
        let one = try daemon.connect()
        try one.send("{\"id\":1,\"command\":\"apps:create c\"}\n{\"id\":2,\"command\":\"apps:list\"}\n")
        try daemon.settle()
        let other = try daemon.connect()
        try other.send("{\"command\":\"apps:list\"}\n")
        try daemon.settle()
        try release()
        #expect(try one.answer()["id"] == 1)
        #expect(try one.answer()["output"] == "=====> My Apps\na\nb\nc")
        #expect(try other.answer()["ok"] == true)
    }

    @Test func `one asker's cancel takes it from nobody`() throws {
        let hold = try daemon.box.fifo("apps:list")
        let askers = try askers(3, #"{"command":"apps:list"}"#)
        try release()
        try daemon.started("apps:list")
        #expect(try daemon.ask("daemon:cancel 4").ok)
        #expect(try askers[0].answer()["error"] == "cancelled")
        try hold.release()
        for asker in askers.dropFirst() { #expect(try asker.answer()["output"] == "=====> My Apps\na\nb") }
    }

    /// What is running, also for a daemon that comes after a crash.
    @Test func `the first asker's cancel hands the run to the next`() throws {
        let hold = try daemon.box.fifo("apps:list")
        let askers = try askers(3, #"{"command":"apps:list"}"#)
        try release()
        try daemon.started("apps:list")
        #expect(try daemon.ask("daemon:cancel 4").ok)
        #expect(try askers[0].answer()["error"] == "cancelled")
        let lines = try daemon.ask("daemon:queue").output.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].hasPrefix("5 ") && lines[0].hasSuffix(" apps:list"))
        #expect(lines.last?.hasPrefix("6 ") == true && lines.last?.hasSuffix(" [runs with job 5]") == true)
        #expect(try daemon.box.read("state/running").contains("5 apps:list\n"))
        try hold.release()
        for asker in askers.dropFirst() { #expect(try asker.answer()["ok"] == true) }
        try daemon.log.line(with: "[res] #6 run=#5 status=0")
    }

    @Test func `the last asker's cancel ends the run`() throws {
        let hold = try daemon.box.fifo("apps:list")
        defer { withExtendedLifetime(hold) {} }
        let line = #"{"command":"apps:list","on_disconnect":"cancel"}"#
        let askers = try askers(2, line)
        try release()
        try daemon.started("apps:list")
        #expect(try daemon.ask("daemon:cancel 5").ok)
        #expect(try askers[1].answer()["error"] == "cancelled")
        #expect(try daemon.ask("daemon:cancel 4").ok)
        let answer = try askers[0].answer()
        #expect(answer["error"] == "cancelled" && answer["signal"] == "SIGTERM")
        #expect(try daemon.ask("test:args on") == .good("<on>"))
    }
}

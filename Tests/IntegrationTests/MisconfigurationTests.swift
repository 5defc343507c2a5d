// A daemon with a wrong setting: who has sockets from systemd stays up and says so, since clients would otherwise wait.
import CEpollShim
import Glibc
import TestSupport
import Testing

@Suite struct MisconfigurationTests {
    private func daemon(_ names: [String] = [""], _ settings: [String: String]) throws -> DaemonProcess {
        let box = try Box()
        let sockets = try names.enumerated().map { try BoundSocket(box.path("socket\($0)"), name: $1) }
        return try DaemonProcess(
            box, sockets: sockets, settings: settings.merging(["DOKKU_SOCK_PATH": ""]) { $1 })
    }

    @Test func `each request on each socket is told the reason`() throws {
        let daemon = try daemon(
            ["", "one-shot,raw-words", "read-only"],
            ["DOKKU_DAEMON_TIMEOUT": "many", "DOKKU_DAEMON_MAX_LINE": "-1"])
        for number in 0...2 {
            let reply = try daemon.connect(daemon.box.path("socket\(number)")).ask("apps:list")
            #expect(!reply.ok)
            for part in ["DOKKU_DAEMON_TIMEOUT", "\"many\"", "seconds", "DOKKU_DAEMON_MAX_LINE", "\"-1\""] {
                #expect(reply.output.contains(part), "\(reply.output)")
            }
        }
        let client = try daemon.connect()
        let answer = try client.ask(["id": 7, "command": ["config:import", "a"], "stdin": "x=y"])
        #expect(answer["id"] == 7 && answer["ok"] == false && answer["error"] == "misconfigured")
        let streamed = try client.stream(["id": 8, "command": "daemon:status", "stream": true])
        #expect(streamed.end["id"] == 8 && streamed.end["error"] == "misconfigured")
        try client.send(#"{"id":9,"command":"config:import a","stdin_length":4}"# + "\nx=y\n")
        let following = try client.answer()
        #expect(following["id"] == 9 && following["error"] == "misconfigured")
        #expect(try !client.ask("refresh").ok)
        #expect(daemon.ran == [])
        #expect(try daemon.stop() == .status(0))
    }

    @Test func `the reason is the status and stands in the journal once`() throws {
        let daemon = try daemon([""], ["DOKKU_DAEMON_TIMEOUT": "many"])
        try daemon.manager.line("STATUS=", from: daemon.process)
        #expect(
            daemon.manager.messages.contains {
                $0.contains("STATUS=") && $0.contains("DOKKU_DAEMON_TIMEOUT is")
            })
        for _ in 0..<3 { #expect(try !daemon.ask("apps:list").ok) }
        #expect(daemon.errors.split(separator: "\n").count == 1, "\(daemon.errors)")
    }

    /// With no folder made and no file written: their places may be what is wrong.
    @Test func `nothing is written`() throws {
        let box = try Box()
        let settings = [
            "DOKKU_SOCK_PATH": "", "DOKKU_LOCK_PATH": "relative/lock",
            "DOKKU_DAEMON_LOGFILE": box.path("log/log"),
            "DOKKU_DAEMON_STATE_DIR": box.path("other/state"),
        ]
        let daemon = try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"))], settings: settings)
        #expect(try daemon.ask("apps:list").output.contains("DOKKU_LOCK_PATH is \"relative/lock\""))
        #expect(!box.has("log/log") && !box.has("other"))
    }

    @Test func `a hang-up ends the daemon so that it is started anew`() throws {
        let daemon = try daemon([""], ["DOKKU_DAEMON_TIMEOUT": "many"])
        #expect(try !daemon.ask("apps:list").ok)
        daemon.process.signal(SIGHUP)
        #expect(try daemon.process.wait() == .status(78))
        let waiting = try TestClient(to: daemon.path)
        try waiting.send("apps:create a\n")
        let next = try DaemonProcess(
            Box(), sockets: [BoundSocket(sharing: daemon)], settings: ["DOKKU_SOCK_PATH": ""])
        #expect(try waiting.reply().ok)
        #expect(try next.stop() == .status(0))
    }

    @Test func `an unknown rule of a socket is a wrong setting`() throws {
        let daemon = try daemon(["keep-ansi,reed-only,one-shot", ""], [:])
        let client = try daemon.connect()
        // Without a newline, as the rule that is known allows.
        try client.send("apps:list")
        client.halfClose()
        let reply = try client.reply()
        #expect(!reply.ok && reply.output.contains("reed-only") && reply.output.contains("read-only"))
        #expect(try !daemon.connect(daemon.box.path("socket1")).ask("apps:list").ok)
    }

    @Test func `a descriptor that is no listening socket is told beside one that is`() throws {
        let box = try Box()
        let file = try BoundSocket(impostor: open(box.write("no socket", to: "file"), O_RDONLY | O_CLOEXEC))
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket")), file], settings: ["DOKKU_SOCK_PATH": ""])
        #expect(try daemon.ask("apps:list").output.contains("not a listening unix stream socket"))
    }

    @Test func `a socket of its own that cannot be made is told beside one that was given`() throws {
        let box = try Box()
        let own = try box.write("precious", to: "own")
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], settings: ["DOKKU_SOCK_PATH": own])
        let reply = try daemon.ask("apps:list")
        #expect(!reply.ok && reply.output.contains(own) && reply.output.contains("not a socket"))
        #expect(try box.read("own") == "precious")
    }

    @Test func `a name that is no setting brings a warning`() throws {
        let daemon = try daemon([""], ["DOKKU_DAEMON_TIMEOUTS": "5", "DOKKU_DAEMON_TIMEOUT": "5"])
        #expect(try daemon.ask("apps:create a").ok)
        #expect(daemon.errors.contains("DOKKU_DAEMON_TIMEOUTS"), "\(daemon.errors)")
    }
}

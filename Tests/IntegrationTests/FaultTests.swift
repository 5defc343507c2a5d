// Faults of the system: each costs at most the request at hand, which is told what happened.
import Glibc
import Testing

@Suite struct FaultTests {
    private func daemon(
        _ box: Box, settings: [String: String] = [:], shell: String = ""
    ) throws -> Daemon {
        try Daemon(box, sockets: [ListeningSocket(box.path("socket"))], settings: settings, shell: shell)
    }

    @Test func withoutDescriptorsItServesWhoIsThereAndLaterTheOthers() throws {
        let daemon = try daemon(Box(), shell: "ulimit -n 40")
        let first = try daemon.connect()
        #expect(try first.ask("apps:create a").ok)
        var others: [Connection] = []
        for _ in 0..<100 {
            let other = try daemon.connect()
            try other.send("daemon:version\n")
            others.append(other)
        }
        // Some of them are in, some are not; the one that was there first is answered, be it with an error.
        #expect(try others[0].reply().ok)
        #expect(try first.ask("daemon:version").ok)
        let reply = try first.ask("test:args x")
        #expect(reply == .good("<x>") || !reply.ok)
        others.removeFirst(90)
        for other in others { #expect(try other.reply().ok) }
        others = []
        #expect(try daemon.ask("test:args again") == .good("<again>"))
        #expect(try first.ask("test:args again") == .good("<again>"))
    }

    @Test func withoutAPlaceForSpoolsALargeReplyIsCutAndSaysWhy() throws {
        let box = try Box()
        try box.write("no-folder", "")
        let daemon = try daemon(box, settings: ["DOKKU_DAEMON_STATE_DIR": box.path("no-folder")])
        #expect(try daemon.ask("test:big 500000").output.utf8.count == 500_000)
        let reply = try daemon.ask("test:big 20000000")
        #expect(!reply.ok)
        let lines = reply.output.split(separator: "\n")
        #expect(lines.count == 2 && lines.last?.contains("cut") == true)
        try daemon.box.journal.wait("the end of both") { lines in
            lines.filter { $0.hasPrefix("end ") && $0.hasSuffix(" 0") }.count == 2 ? true : nil
        }
        let client = try daemon.connect()
        try client.order(#"{"command":"test:stdin","stdin_length":3000000}"#)
        try client.send([UInt8](repeating: 0x78, count: 3_000_000))
        #expect(try client.answer()["error"] == .text("input_too_long"))
        #expect(try client.ask("test:args on") == .good("<on>"))
    }

    @Test func aFullDiskCutsTheReplyAndHarmsNobody() throws {
        let box = try Box()
        let daemon = try daemon(box, shell: "ulimit -f 4096; trap '' XFSZ")
        let reply = try daemon.ask("test:big 20000000")
        #expect(!reply.ok && reply.output.utf8.count > 1_000_000)
        #expect(try daemon.ask("test:args on") == .good("<on>"))
    }

    @Test func withoutALockFileACommandDoesNotRun() throws {
        let box = try Box()
        let daemon = try daemon(box, settings: ["DOKKU_LOCK_PATH": "/proc/no-such/lock"])
        let reply = try daemon.ask("apps:create a")
        #expect(!reply.ok && reply.output.contains("lock"))
        #expect(daemon.ran == [])
        #expect(try daemon.ask("commands").ok)
    }

    @Test func aDokkuThatGoesAwayIsAnErrorUntilItIsBack() throws {
        let box = try Box()
        let script = "#!/bin/sh\nexec '\(Daemon.standIn)/dokku' \"$@\"\n"
        let path = try box.write("dokku", script, mode: 0o755)
        let daemon = try daemon(box, settings: ["DOKKU_DAEMON_DOKKU": path])
        #expect(try daemon.ask("apps:create a").ok)
        unlink(path)
        let reply = try daemon.ask("apps:list")
        #expect(!reply.ok && reply.output.contains(path))
        #expect(try daemon.connect().request(#"{"command":"apps:list"}"#)["error"] == .text("spawn_failed"))
        try box.write("dokku", script, mode: 0o755)
        #expect(try daemon.ask("--quiet apps:list") == .good("a"))
    }
}

// `enter` and `run` with the client's own terminal, pipes or files: they run beside the queue, and end with their client.
import Glibc
import TestSupport
import Testing

@Suite struct TerminalTests {
    /// A request for a program that the stand-in runs.
    private func talk(_ program: String, _ more: [String: JSON] = [:]) -> JSON {
        let members: [String: JSON] = [
            "id": 1, "command": ["run", "talk", "bash", "-c", .text(program)], "descriptors": true,
            "stream": true,
        ]
        return .object(members.merging(more) { $1 })
    }

    private func start(
        _ daemon: DaemonProcess, _ terminal: PseudoTerminal, _ request: JSON
    ) throws -> (client: TestClient, job: Int) {
        let client = try daemon.connect()
        let started = try client.ask(
            request, with: [terminal.line, terminal.line, terminal.line])
        return (client, try #require(started["job"]?.int, "\(started)"))
    }

    @Test func `a terminal is a terminal`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let terminal = try PseudoTerminal()
        let program = """
            for n in 0 1 2; do [[ -t $n ]] || echo no $n; done
            echo "$TERM $DOKKU_FORCE_TTY"
            read -r -a stat </proc/self/stat
            [[ ${stat[5]} == $PPID ]] && echo own session
            stty rows 7 cols 11; stty size
            read -r line; echo "read $line"
            stty raw; byte=$(dd bs=1 count=1 2>/dev/null); stty -raw
            printf 'byte %d\\n' "'$byte"
            """
        let (client, _) = try start(
            daemon, terminal, talk(program, ["terminal": "xterm-256color"]))
        #expect(try terminal.nextLine() == "xterm-256color true")
        #expect(try terminal.nextLine() == "own session")
        #expect(try terminal.nextLine() == "7 11")
        try terminal.type("words\n")
        #expect(try terminal.nextLine() == "words")
        #expect(try terminal.nextLine() == "read words")
        try Deadline().poll("raw mode") { try terminal.settings()[3] & tcflag_t(ISIG) == 0 }
        try terminal.type("\u{3}")
        try #require(try terminal.nextLine().hasSuffix("byte 3"))
        let outcome = try client.outcome()
        #expect(outcome.end["ok"] == true && outcome.events.isEmpty)
        #expect(outcome.end["queued_ms"]?.int != nil)
    }

    @Test func `enter needs no command, and no terminal`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let client = try daemon.connect()
        let input = try HandedPipe()
        let output = try HandedPipe()
        try writeAll(Array("echo \"$0 $TERM ${DOKKU_FORCE_TTY-none}\"; exit 7\n".utf8), to: input.writing)
        let answer = try client.ask(
            ["command": ["enter", "talk"], "descriptors": true, "terminal": "vt100"],
            with: [input.reading.descriptor, output.writing, output.writing])
        #expect(answer["exit_status"] == 7 && answer["output"] == "")
        output.endWriting()
        #expect(try output.reading.line()?.text == "bash dumb none")
        // The daemon has let go of it.
        #expect(try output.reading.line() == nil)
        #expect(try client.request(#"{"command":"enter talk"}"#)["error"] == "not_supported")
        let chunks = try client.ask(
            ["command": ["enter", "talk"], "descriptors": true, "stdin_chunks": true],
            with: [input.reading.descriptor, input.writing, input.writing])
        #expect(chunks["error"] == "invalid_request")
    }

    @Test func `who wants no terminal is told of none`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let terminal = try PseudoTerminal()
        for (flags, expected) in [(["--no-tty"], "none"), (["-e", "--no-tty"], "true"), ([], "true")] {
            let command = ["run"] + flags + ["talk", "bash", "-c", "echo ${DOKKU_FORCE_TTY-none} --no-tty"]
            let client = try daemon.connect()
            let answer = try client.ask(
                ["command": .list(command.map(JSON.text)), "descriptors": true],
                with: [terminal.line, terminal.line, terminal.line])
            #expect(answer["ok"] == true)
            #expect(try terminal.nextLine() == "\(expected) --no-tty")
        }
    }

    @Test func `the terminal is as it was when its client has gone`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let terminal = try PseudoTerminal()
        let before = try terminal.settings()
        var (client, _): (TestClient?, Int) = try start(
            daemon, terminal, talk("stty raw -echo; echo ready; read -r line"))
        #expect(try terminal.nextLine() == "ready")
        #expect(try terminal.settings() != before)
        client = nil
        try daemon.box.journal.line(with: "end ")
        try Deadline().poll("the settings of before") { try terminal.settings() == before }
        _ = client
    }

    @Test func `the terminal stays as its client's command has set it`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let terminal = try PseudoTerminal()
        let (client, _) = try start(daemon, terminal, talk("stty -echo"))
        #expect(try client.outcome().end["ok"] == true)
        try daemon.settle()
        #expect(try terminal.settings()[3] & tcflag_t(ECHO) == 0)
    }

    @Test func `when the client leaves, the command is hung up on, and then ended`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let output = try HandedPipe()
        let input = try HandedPipe()
        var client: TestClient? = try daemon.connect()
        let program =
            "trap 'echo hup' HUP; trap 'echo term; exit' TERM; echo ready; while :; do read -r; done"
        _ = try client?.ask(
            talk(program), with: [input.reading.descriptor, output.writing, output.writing])
        #expect(try output.reading.line()?.text == "ready")
        client = nil
        #expect(try output.reading.line()?.text == "hup")
        #expect(try output.reading.line()?.text == "term")
        #expect(try daemon.ask("daemon:status --format json").output.contains("\"commands_failed\":0"))
    }

    @Test func `it waits for no queue, and is limited by itself`() throws {
        let daemon = try DaemonProcess.takingDescriptors(["DOKKU_DAEMON_MAX_FOLLOW": "1"])
        let fifo = try daemon.box.fifo()
        let logs = try daemon.box.fifo("logs")
        let holder = try daemon.connect()
        try holder.order(#"{"command":["test:block","\#(fifo.path)"]}"#)
        try daemon.box.journal.line(with: "held ")
        let follower = try daemon.connect()
        try follower.order(#"{"command":["logs","\#(logs.path)","-t"],"stream":true}"#)
        #expect(try follower.answer()["event"] == "started")
        let terminal = try PseudoTerminal()
        let (client, job) = try start(daemon, terminal, talk("read -r line; echo \"$line\""))
        let second = try daemon.connect()
        let refused = try second.ask(
            talk("true"), with: [terminal.line, terminal.line, terminal.line])
        #expect(refused["error"] == "queue_full")
        #expect(try daemon.ask("daemon:queue").output.contains("\(job) "))
        try terminal.type("on\n")
        #expect(try terminal.nextLine() == "on")
        #expect(try client.outcome().end["ok"] == true)
        try fifo.release()
        #expect(try holder.answer()["ok"] == true)
    }

    @Test func `a timeout, a cancel and a stop end it`() throws {
        let daemon = try DaemonProcess.takingDescriptors(["DOKKU_DAEMON_STOP_GRACE": "0"])
        let terminal = try PseudoTerminal()
        let (limited, _) = try start(daemon, terminal, talk("read -r line", ["timeout": 0.2]))
        #expect(try limited.outcome().end["error"] == "timeout")
        let (cancelled, job) = try start(daemon, terminal, talk("read -r line"))
        #expect(try daemon.ask("daemon:cancel \(job)").ok)
        #expect(try cancelled.outcome().end["error"] == "cancelled")
        let (stopped, _) = try start(daemon, terminal, talk("read -r line"))
        daemon.process.signal(SIGTERM)
        #expect(try stopped.outcome().end["error"] == "shutting_down")
        #expect(try daemon.process.wait() == .status(0))
    }
}

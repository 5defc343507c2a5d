// What the documentation shows is true: its programs run, and its lines are what the schema allows.
import Foundation
import TestSupport
import Testing

@Suite struct DocumentationTests {
    private func page(_ name: String) -> String { contents(Repository.path(name)).text }

    private func example(_ name: String) -> String {
        Repository.path("docs/examples/\(name)")
    }

    /// Runs a program that is told by the environment where the socket is: what it printed, and how it ended.
    private func run(_ daemon: DaemonProcess, _ arguments: [String]) throws -> (
        output: String, exit: Spawned.Exit
    ) {
        let program = try PipedProgram(arguments, environment: ["DOKKU_SOCK_PATH": daemon.path])
        program.endInput()
        return (try program.output.rest().text, try program.process.wait())
    }

    @Test func `the Python for a line gets its reply`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("apps:create python-app").ok)
        let parts = page("docs/programs.md").components(separatedBy: "```python\n")
        try #require(parts.count == 2)
        let code = try #require(parts[1].components(separatedBy: "```").first)
        let usual = "/var/run/dokku-daemon/dokku-daemon.sock"
        #expect(code.contains(usual))
        let file = try daemon.box.write(
            code.replacingOccurrences(of: usual, with: daemon.path), to: "example.py")
        #expect(try PipedProgram.run(["python3", file]) == "True =====> My Apps\npython-app\n")
    }

    /// Each part between two ellipses is there, in its order.
    private func matches(_ line: String, _ pattern: String) -> Bool {
        let parts = pattern.components(separatedBy: "…")
        var rest = line[...]
        for part in parts where !part.isEmpty {
            guard let range = rest.range(of: part) else { return false }
            rest = rest[range.upperBound...]
        }
        return line.hasPrefix(parts[0]) && line.hasSuffix(parts[parts.count - 1])
    }

    /// The indented lines of a part of docs/programs.md, up to its program.
    private func shown(_ heading: String) throws -> [String] {
        let parts = page("docs/programs.md").components(separatedBy: "## \(heading)\n")
        try #require(parts.count == 2)
        return parts[1].components(separatedBy: "\n## ")[0].components(separatedBy: "```")[0]
            .split(separator: "\n").filter { $0.hasPrefix("    ") }.map { String($0.dropFirst(4)) }
    }

    /// Sends the lines that follow a call of socat, and expects the replies beside them.
    private func converse(_ lines: [String], _ client: TestClient, sent: (String) throws -> Void = { _ in })
        throws
    {
        try #require(lines.first?.hasPrefix("$ sudo socat") == true)
        for line in lines.dropFirst() {
            if line.hasPrefix("{") {
                let reply = try client.line()
                #expect(matches(reply, line), "\(reply)")
            } else {
                try client.send(line + "\n")
                try sent(line)
            }
        }
    }

    @Test func `a conversation goes as shown, and scripts get their reply`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("apps:create python-app").ok)
        let lines = try shown("A line")
        let scripts = lines.filter { $0.hasPrefix("echo ") }
        try converse(lines.filter { !$0.hasPrefix("echo ") }, daemon.connect())
        #expect(scripts.count == 2)
        for script in scripts {
            // The page names the package that this nc is of.
            let ours = script.replacingOccurrences(of: " nc ", with: " nc.openbsd ")
                .replacingOccurrences(of: "/var/run/dokku-daemon/dokku-daemon.sock", with: daemon.path)
            let reply = try PipedProgram.run(["sh", "-c", ours])
            #expect(reply == #"{"ok":true,"output":"=====> My Apps\npython-app"}"# + "\n", "\(ours)")
        }
    }

    @Test func `a submitted deploy is asked for as shown`() throws {
        let daemon = try DaemonProcess()
        for folder in ["apps", "apps/python-app"] { _ = try daemon.box.makeFolder(folder) }
        // It holds each rebuild until it is released.
        let fifo = try daemon.box.fifo("ps:rebuild python-app")
        try converse(shown("A job that outlives its client"), daemon.connect()) { line in
            if line.hasPrefix("daemon:submit") { try daemon.started("ps:rebuild") }
            if line.hasPrefix("daemon:wait") { try fifo.release() }
        }
        #expect(daemon.ran.last == "ps:rebuild python-app")
    }

    @Test(arguments: [("protocol.md", 6), ("programs.md", 6)])
    func `the lines of a page are allowed`(name: String, count: Int) throws {
        let lines = page("docs/\(name)").split(separator: "\n").map { $0.drop { "→← ".contains($0) } }
            .filter { $0.hasPrefix("{\"") && $0.hasSuffix("}") }
        #expect(lines.count > count)
        for line in lines {
            let value = try JSON(Array(line.utf8))
            let isAllowed = ["request", "reply"].contains { Schema.ofProtocol.accepts(value, as: $0) }
            #expect(isAllowed, "\(line)")
        }
    }

    @Test(arguments: [["python3", "deploy-log.py"], ["node", "deploy-log.js"], ["sh", "run.sh"]])
    func `a live log shows each line as it is written`(program: [String]) throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let viewer = try PipedProgram(
            [program[0], example(program[1]), "test:lines", fifo.path],
            environment: ["DOKKU_SOCK_PATH": daemon.path])
        viewer.endInput()
        for line in ["-----> Building python-app", "e  !     No web process", "-----> Done"] {
            try fifo.say(line)
            let expected = line.hasPrefix("e ") ? String(line.dropFirst(2)) : line
            var shown = try viewer.output.line()?.text
            while shown?.hasPrefix("Waiting") == true { shown = try viewer.output.line()?.text }
            #expect(shown == expected, "\(program[1])")
        }
        try fifo.say("end")
        #expect(try viewer.process.wait() == .status(0))
    }

    @Test(arguments: [["python3", "deploy-log.py"], ["node", "deploy-log.js"], ["sh", "run.sh"]])
    func `the exit status is passed on`(program: [String]) throws {
        let daemon = try DaemonProcess()
        let result = try run(daemon, [program[0], example(program[1]), "apps:exists", "none"])
        #expect(result.exit == .status(20), "\(result.output)")
        #expect(result.output.contains("App none does not exist"))
        let created = try run(
            daemon, [program[0], example(program[1]), "test:args", "a \"b\" c", "--", "$x"])
        #expect(
            created.exit == .status(0) && created.output.contains("<a \"b\" c>\n<-->\n<$x>"),
            "\(created.output)")
        let refused = try run(daemon, [program[0], example(program[1]), "nonsense"])
        #expect(refused.exit == .status(1) && refused.output.contains("invalid_command"), "\(refused.output)")
    }

    @Test(arguments: [["python3", "dump.py"], ["sh", "dump.sh"]])
    func `a dump goes out and in unchanged`(program: [String]) throws {
        let daemon = try DaemonProcess()
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ ($0 >> 9)) }
        let source = try daemon.box.write(bytes, to: "source")
        let saved = daemon.box.path("saved")
        let out = try run(daemon, [program[0], example(program[1]), "out", saved, "test:bytes", source])
        #expect(out.exit == .status(0), "\(out.output)")
        #expect(try daemon.box.bytes("saved") == bytes)
        let taken = daemon.box.path("taken")
        let into = try run(daemon, [program[0], example(program[1]), "in", saved, "test:keep", taken])
        #expect(into.exit == .status(0), "\(into.output)")
        #expect(try daemon.box.bytes("taken") == bytes)
        let failed = try run(daemon, [program[0], example(program[1]), "in", saved, "test:exit", "3"])
        #expect(failed.exit != .status(0))
    }
}

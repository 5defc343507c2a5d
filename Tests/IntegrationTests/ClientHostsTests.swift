// The client on other machines: through a real ssh to a real sshd, and through a stand-in for ssh that tells what it was given.
import CEpollShim
import Foundation
import TestSupport
import Testing

@Suite struct ClientHostsTests {
    private typealias End = ClientProcess.End

    private let daemon: DaemonProcess
    private let remote: SecureShell

    init() throws {
        daemon = try DaemonProcess()
        remote = try SecureShell(daemon.box, socket: daemon.path)
    }

    /// In place of ssh: notes its words, one in each pair of angle brackets.
    private func tellTale(then script: String = "") throws {
        try remote.stand(
            in: "here", for: "ssh",
            script: "printf '<%s>' \"$@\" >>'\(daemon.box.path("told"))'\n\(script)")
    }

    private func told() throws -> String { try daemon.box.read("told") }

    // MARK: - One host

    @Test func `output, errors and the exit status come from there`() throws {
        #expect(
            try remote.run("-H", "ssh://a", "test:both", "2")
                == End(.status(0), "out 0\nout 1\n", "err 0\nerr 1\n"))
        #expect(try remote.run("--host=ssh://a", "test:exit", "7").exit == .status(7))
        let user = NSUserName()
        #expect(try remote.run("-H", "ssh://\(user)@a:22", "test:exit", "0").exit == .status(0))
    }

    @Test func `a host in the environment counts if no option names one`() throws {
        let environment = ["DOKKU_HOST": " ssh://a "]
        #expect(try remote.run("test:exit", "7", environment: environment).exit == .status(7))
        let other = try remote.run("-H", "ssh://nowhere", "test:exit", "7", environment: environment)
        #expect(other.exit == .status(69))
        // No host: this one, whose socket is not there.
        let local = try remote.run("test:exit", "7", environment: ["DOKKU_HOST": ""])
        #expect(local.exit == .status(69) && local.errors.contains("/nowhere"))
    }

    /// Else a machine whose own environment names a host, perhaps itself, would send the command on without end.
    @Test func `a client that ssh has started goes no further`() throws {
        try tellTale()
        let local = try remote.run(
            "--until-unread", "test:exit", "7", environment: ["DOKKU_HOST": "ssh://a"])
        #expect(local.exit == .status(69) && local.errors.contains("/nowhere"))
        #expect(!daemon.box.has("told"))
    }

    @Test func `words arrive as they are, whatever they are`() throws {
        try remote.stand(in: "there", for: "dokku-client", script: "printf '<%s>' \"$@\"")
        let words = [
            "a b", "it's", "", "-x", "--", "-oProxyCommand=x", "$HOME `id`", "a\nb", "\"\\", "~", "*", "ü",
            "=x",
        ]
        let exact = try remote.client(["-H", "ssh://a", "test:args"] + words).end().output
        #expect(exact == "<--until-unread><--><test:args>" + words.map { "<\($0)>" }.joined())
        // Words that are no text.
        let bytes = try PipedProgram(
            [
                "sh", "-c", "exec \"$0\" -H ssh://a test:args \"$(printf '\\377\\200')\"",
                ClientProcess.binary,
            ], environment: ["PATH": remote.path])
        #expect(
            try bytes.output.rest() == Array("<--until-unread><--><test:args><".utf8) + [0xFF, 0x80]
                + Array(">".utf8))
    }

    @Test func `options go along, and the socket only as an option`() throws {
        try remote.stand(in: "there", for: "dokku-client", script: "printf '<%s>' \"$@\"")
        let end = try remote.run(
            "-H", "ssh://a", "-S", "/a b", "--timeout", "1.5", "-d", "--json", "--stdin", "-q", "--app",
            "blog",
            "ps:report", "--all")
        #expect(
            end.output
                == "<--until-unread><--socket=/a b><--timeout=1.500000><--detach><--json><--stdin><--quiet><--app><blog><--><ps:report><--all>"
        )
        #expect(try remote.run("-H", "ssh://a", "--", "-x", "y").output == "<--until-unread><--><-x><y>")
    }

    @Test(arguments: [
        "example.com", "root@example.com", "example.com:22", "ssh://", "ssh://-oProxyCommand=x", "ssh://-x@a",
        "ssh://a/b",
        "ssh://a:0", "ssh://a:x", "ssh://a:70000", "ssh://[::1", "ssh://a b", "ssh://a;id", "ssh://$(id)",
        "ssh://@a",
        "ssh://a@", "http://a", "", "-x",
    ])
    func `what is no host is refused`(host: String) throws {
        try tellTale()
        let end = try remote.run("--host=\(host)", "apps:list")
        #expect(end.exit == .status(64) && end.errors.contains("ssh://"), "\(end)")
        #expect(!daemon.box.has("told"))
    }

    @Test func `a bare name is refused with what it means elsewhere`() throws {
        let end = try remote.run("apps:list", environment: ["DOKKU_HOST": "example.com"])
        #expect(end.exit == .status(64))
        #expect(end.errors.contains("user dokku") && end.errors.contains("write ssh://root@example.com"))
    }

    @Test func `ssh gets the host after its options`() throws {
        try tellTale()
        let end = try remote.run("-H", "ssh://me@[fe80::1%eth0]:2222", "apps:list")
        #expect(end.exit == .status(0))
        #expect(
            try told()
                == "<-n><-T><-p><2222><-l><me><--><fe80::1%eth0><dokku-client --until-unread -- apps:list>")
    }

    @Test func `an ssh that fails is said`() throws {
        let end = try remote.run("-H", "ssh://nowhere", "apps:list")
        #expect(end.exit == .status(69) && end.errors.contains("ssh did not reach ssh://nowhere"), "\(end)")
        let none = try remote.run("-H", "ssh://a", "apps:list", environment: ["PATH": "/nowhere"])
        #expect(none == End(.status(69), "", "dokku-client: there is no ssh here: install openssh-client\n"))
    }

    @Test func `a command that reads gets the input, and no other takes it`() throws {
        let end = try remote.run(
            "-H", "ssh://a", "--stdin", "test:digest", input: .bytes(Array("hello\n".utf8)))
        #expect(end.output == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\n", "\(end)")
        let loop = try PipedProgram(
            [
                "sh", "-c",
                "printf '1\\n2\\n' | while read -r each; do \"$0\" -H ssh://a test:args \"$each\"; done",
                ClientProcess.binary,
            ],
            environment: ["PATH": remote.path])
        #expect(try loop.finish().output == "<1>\n<2>\n")
        try tellTale()
        for command in ["apps:destroy", "config:import", "enter"] {
            _ = try remote.run("-H", "ssh://a", command)
        }
        #expect(try !told().contains("<-n>"))
    }

    @Test func `only a conversation on a terminal gets a terminal there`() throws {
        try tellTale()
        let terminal = try PseudoTerminal()
        for word in ["run", "enter", "apps:list"] {
            let client = try ClientProcess(
                ["-H", "ssh://a", word], to: "/nowhere", on: terminal, environment: ["PATH": remote.path])
            #expect(try client.process.wait() == .status(0))
        }
        _ = try remote.run("-H", "ssh://a", "run")
        let told = try told()
        #expect(
            told.hasPrefix("<-t><--><a><dokku-client --until-unread -- run><-t>")
                && told.components(separatedBy: "<-t>").count == 3)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `a signal ends the command there`(signal: Int32) throws {
        let fifo = try daemon.box.fifo()
        let client = try remote.client(["-H", "ssh://a", "test:block", fifo.path])
        #expect(try client.output.line()?.text == "waiting")
        client.process.signal(signal)
        #expect(try client.process.wait() == .signal(signal))
        // It has written nothing since: it ends because nobody could read it.
        try daemon.box.journal.line(with: "end ")
    }

    @Test func `a client there that gets a signal says which`() throws {
        let fifo = try daemon.box.fifo()
        try remote.stand(
            in: "there", for: "dokku-client",
            script: "echo $$ >'\(daemon.box.path("pid"))'; exec '\(ClientProcess.binary)' \"$@\"")
        let client = try remote.client(["-H", "ssh://a", "test:block", fifo.path])
        #expect(try client.output.line()?.text == "waiting")
        let pid = try daemon.box.read("pid").split(separator: "\n")[0]
        kill(try #require(pid_t(pid)), SIGINT)
        #expect(try client.end() == End(.status(128 + SIGINT)))
    }

    @Test func `a detached command stays`() throws {
        let fifo = try daemon.box.fifo()
        let end = try remote.run("-H", "ssh://a", "--detach", "test:block", fifo.path)
        #expect(end.exit == .status(0) && UInt64(end.output.dropLast()) != nil, "\(end)")
        try daemon.started("test:block")
        try fifo.release()
        let result = try remote.run("-H", "ssh://a", "daemon:wait", String(end.output.dropLast()))
        #expect(result == End(.status(0), "waiting\ndone\n"))
    }

    // MARK: - Several

    @Test func `each line has its host before it, and the status is the largest`() throws {
        let end = try remote.run(
            "-H", "ssh://a", "-H", "ssh://nowhere", "-H", "ssh://b", "-H", "ssh://a", "test:both", "1")
        #expect(end.exit == .status(69))
        #expect(Set(end.output.split(separator: "\n")) == ["a:       out 0", "b:       out 0"])
        let errors = end.errors.split(whereSeparator: \.isNewline)
        #expect(errors.contains("a:       err 0") && errors.contains("b:       err 0"))
        #expect(
            errors.contains { $0.hasPrefix("nowhere: dokku-client: ssh did not reach ssh://nowhere") },
            "\(end)")
        #expect(errors.allSatisfy { $0.hasPrefix("a:") || $0.hasPrefix("b:") || $0.hasPrefix("nowhere:") })
    }

    @Test func `ssh asks no questions for several hosts, and there is no input`() throws {
        try tellTale(then: "cat\nexit ${#}")
        let end = try remote.run(
            "-H", "ssh://a", "-H", "ssh://x@a", "config:import", "blog", input: .bytes(Array("text\n".utf8)))
        #expect(try told().components(separatedBy: "<-n><-T><-o><BatchMode=yes>").count == 3)
        #expect(end.output == "")
        // The number of words: two more with a user.
        #expect(end.exit == .status(9))
        // Two of one name are told apart.
        #expect(end.errors.contains("ssh://x@a: dokku-client: ended with status 9\n"))
        #expect(end.errors.contains("ssh://a:   dokku-client: ended with status 7\n"))
        let refused = try remote.run("-H", "ssh://a", "-H", "ssh://b", "--stdin", "test:digest")
        #expect(refused.exit == .status(64))
    }

    @Test func `eight are asked at a time`() throws {
        let fifo = try daemon.box.fifo()
        try remote.stand(
            in: "here", for: "ssh",
            script:
                "echo started >>'\(daemon.box.journal.path)'\nread -r word <'\(fifo.path)'\necho ended >>'\(daemon.box.journal.path)'"
        )
        let hosts = (1...10).flatMap { ["-H", "ssh://h\($0)"] }
        let client = try remote.client(hosts + ["apps:list"])
        func wait(for count: Int) throws -> [String] {
            try daemon.box.journal.wait("\(count) starts") { lines in
                lines.count { $0 == "started" } >= count ? lines : nil
            }
        }
        #expect(try wait(for: 8).count == 8)
        try fifo.release()
        let lines = try wait(for: 9)
        #expect(lines.prefix(8).allSatisfy { $0 == "started" } && lines.contains("ended"))
        for _ in 1...9 { try fifo.release() }
        #expect(try client.end() == End(.status(0)))
    }

    @Test func `lines are never mixed`() throws {
        // Longer than a pipe takes at once, and to both outputs.
        try remote.stand(
            in: "here", for: "ssh",
            script: """
                for word in "$@"; do host=$name name=$word; done
                line=$(head -c 20000 /dev/zero | tr '\\0' x)
                for number in 1 2 3 4 5 6 7 8 9 10; do
                    printf '%s %s\\n' "$number" "$line"
                    printf '%s %s\\n' "$number" "$line" >&2
                done
                printf 'the end'
                """)
        var pipe: [Int32] = [-1, -1]
        try checked("pipe", shim_pipe(&pipe, 0, 0))
        let both = Stream(owning: pipe[0])
        let hosts = (1...8).flatMap { ["-H", "ssh://h\($0)"] }
        let client = try ClientProcess(
            hosts + ["apps:list"], to: "/nowhere", output: pipe[1], errors: pipe[1],
            environment: ["PATH": remote.path])
        close(pipe[1])
        let lines = try both.rest().text.split(separator: "\n")
        #expect(try client.process.wait() == .status(0))
        let long = String(repeating: "x", count: 20000)
        let expected = (1...8).flatMap { host in
            (1...10).flatMap { Array(repeating: "h\(host): \($0) \(long)", count: 2) } + ["h\(host): the end"]
        }
        #expect(lines.map(String.init).sorted() == expected.sorted())
    }

    @Test func `a signal ends the command on all hosts`() throws {
        let fifo = try daemon.box.fifo()
        let client = try remote.client(["-H", "ssh://a", "-H", "ssh://b", "test:block", fifo.path])
        #expect(try client.output.line()?.text.hasSuffix(": waiting") == true)
        client.process.signal(SIGINT)
        #expect(try client.end() == End(.signal(SIGINT)))
        // The other one waits for the first, and does not begin.
        try daemon.box.journal.line(with: "end ")
        try Deadline().poll("an empty queue") { try daemon.ask("daemon:queue").output == "" }
    }

    @Test func `a reader that has gone ends all`() throws {
        try remote.stand(in: "here", for: "ssh", script: "exec yes")
        let reader = try PipedProgram(
            [
                "sh", "-c", "{ \"$0\" -H ssh://a -H ssh://b apps:list; echo $? >\"$1\"; } | head -n 1",
                ClientProcess.binary, daemon.box.path("status"),
            ],
            environment: ["PATH": remote.path])
        let output = try reader.finish().output
        #expect(output.hasSuffix(": y\n"), "\(output)")
        #expect(contents(daemon.box.path("status")).text == "141\n")
    }
}

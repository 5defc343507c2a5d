// Sockets with a name: commands run as over ssh with a key of that name, and nobody sees another name's jobs.
import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: geteuid() == 0, "only root can change to another user"))
struct NamedSocketTests {
    private func daemon(_ settings: [String: String] = [:]) throws -> DaemonProcess {
        try .withRights(
            [
                ("ci", "name=ci"), ("ci2", "one-shot,name=ci"), ("other", "name=other"),
                ("list", "allow=list"),
                ("reads", "read-only"),
            ], lists: ["list": "apps:list\ndaemon:queue\ndaemon:cancel *\n"], settings: settings)
    }

    // MARK: As over ssh

    private func environment(_ client: TestClient) throws -> [String: String] {
        let output = try client.request(#"{"command":"test:env"}"#)["output"]?.text ?? ""
        return Dictionary(
            output.split(separator: "\0").map { entry in
                let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
            }
        ) { $1 }
    }

    @Test func `a command runs as over ssh with the key`() throws {
        let daemon = try daemon([
            "NAME": "intruder", "SSH_NAME": "intruder", "SUDO_USER": "somebody", "SUDO_UID": "1",
            "SUDO_GID": "1",
            "SUDO_COMMAND": "x", "FINGERPRINT": "SHA256:x", "SSH_ORIGINAL_COMMAND": "x", "SSH_CLIENT": "x",
            "SSH_CONNECTION": "x", "SSH_AUTH_SOCK": "/x", "DOKKU_APP_NAME": "x",
        ])
        let named = try environment(daemon.client("ci"))
        let expected = [
            "NAME": "ci", "SSH_NAME": "ci", "SSH_USER": "nobody", "USER": "nobody", "LOGNAME": "nobody",
            "HOME": "/nonexistent",
        ]
        for (name, value) in expected { #expect(named[name] == value, "\(name)") }
        let left = named.keys.filter { $0.hasPrefix("SUDO_") || $0.hasPrefix("SSH_") }
        #expect(left.sorted() == ["SSH_NAME", "SSH_USER"])
        #expect(named["FINGERPRINT"] == nil && named["DOKKU_APP_NAME"] == nil)
        #expect(try environment(daemon.client("other"))["NAME"] == "other")
        let own = try environment(daemon.connect())
        #expect(own["NAME"] == nil && own["SSH_NAME"] == nil && own["SSH_USER"] == "root")
    }

    @Test func `what needs root is denied, and no file is opened`() throws {
        let daemon = try daemon()
        let client = try daemon.client("ci")
        for line in [
            "plugin:install x", "ssh-keys:add me", "--quiet plugin:update", "scheduler-k3s:initialize",
            "ps:restart a --app b",
        ] {
            #expect(try !client.ask(line).ok, "\(line)")
            #expect(try client.ask(["command": .text(line), "detach": true])["error"] == "denied", "\(line)")
        }
        for line in [
            "apps:list > \(daemon.box.path("never"))", "apps:list < /etc/passwd", "daemon:version > /tmp/x",
        ] {
            #expect(try client.ask(line) == .bad("Files cannot be used on this socket"))
        }
        #expect(
            try client.request(#"{"command":"ssh-keys:add me","stdin":"ssh-rsa x"}"#)["error"] == "denied")
        #expect(daemon.ran == [] && !daemon.box.has("never"))
        let names = try client.ask("commands").output
        #expect(names.contains("apps:list\n") && names.contains("plugin:list\n"))
        #expect(!names.contains("plugin:install") && !names.contains("ssh-keys:add"))
        #expect(try daemon.ask("commands").output.contains("plugin:install"))
    }

    /// dokku asks its plugins with the user and the name. Root passes, and a name gets what it was given.
    @Test func `dokku's plugins decide`() throws {
        let daemon = try daemon()
        try daemon.addAuthority(commands: ["ps:rebuild"], apps: ["ci": ["blog"]])
        for app in ["blog", "shop"] { #expect(try daemon.ask("apps:create \(app)").ok) }
        let client = try daemon.client("ci")
        #expect(try client.ask("ps:rebuild blog").ok)
        let refused = Reply.bad(" !     ci was not given ps:rebuild of shop\n !     Access denied")
        #expect(try client.ask("ps:rebuild shop") == refused)
        let answer = try client.request(#"{"command":"apps:create third"}"#)
        #expect(answer["exit_status"] == 1)
        #expect(answer["output"] == " !     ci was not given apps:create of third\n !     Access denied")
        let streamed = try daemon.client("other").stream(["command": "ps:rebuild blog", "stream": true])
        #expect(streamed.text("stderr").hasPrefix(" !     other was not given ps:rebuild of blog\n"))
        #expect(streamed.end["exit_status"] == 1)
        for line in [
            "--app shop ps:rebuild", "--app shop ps:rebuild blog", "--quiet --app shop ps:rebuild blog",
            "ps:rebuild blog --app shop", "ps:rebuild", "ps:rebuild ''",
        ] {
            #expect(try !client.ask(line).ok, "\(line)")
        }
        #expect(try daemon.ask("ps:rebuild shop").ok, "root passes")
    }

    @Test(arguments: [("root", "is root"), ("nobody-of-that-name", "there is no user nobody-of-that-name")])
    func `without such a user nothing is served`(user: String, reason: String) throws {
        let daemon = try daemon(["DOKKU_SYSTEM_USER": user])
        for socket in ["socket", "ci"] {
            let answer = try daemon.client(socket).request(#"{"command":"apps:list"}"#)
            #expect(answer["error"] == "misconfigured")
            #expect(answer["output"]?.text?.contains("name=ci cannot be used: ") == true)
            #expect(answer["output"]?.text?.contains(reason) == true)
        }
        #expect(daemon.ran == [] && daemon.errors.contains(reason))
    }

    // MARK: Whose jobs

    /// Job 1 holds the queue; 2 and 3 are detached jobs of `ci` and `other`.
    private func held() throws -> (DaemonProcess, Fifo, TestClient) {
        let daemon = try daemon()
        let fifo = try daemon.box.fifo()
        let blocker = try daemon.connect()
        try blocker.send("test:block \(fifo.path)\n")
        try daemon.box.journal.line(with: "held ")
        for name in ["ci", "other"] {
            let answer = try daemon.client(name).ask(["command": ["test:args", .text(name)], "detach": true])
            #expect(answer["ok"] == true)
        }
        return (daemon, fifo, blocker)
    }

    private func listed(_ daemon: DaemonProcess, _ socket: String, _ command: String) throws -> [Int] {
        let answer = try daemon.client(socket).ask(["command": .text("\(command) --format json")])
        let jobs = try JSON(Array((answer["output"]?.text ?? "").utf8))
        let lines = try daemon.client(socket).ask(command).output.split(separator: "\n")
        guard case .list(let jobs) = jobs else { return [] }
        #expect(lines.map { Int($0.split(separator: " ")[0]) } == jobs.map { $0["job"]?.int })
        #expect(
            ["socket", "reads"].contains(socket)
                || jobs.allSatisfy { $0["waits_for"] == nil && $0["waits_for_lock"] == nil })
        return jobs.compactMap { $0["job"]?.int }
    }

    @Test func `a name sees its own jobs alone`() throws {
        let (daemon, fifo, blocker) = try held()
        for command in ["daemon:queue", "daemon:jobs"] {
            for (socket, jobs) in [
                ("ci", [2]), ("ci2", [2]), ("other", [3]), ("socket", [1, 2, 3]), ("reads", [1, 2, 3]),
            ] {
                #expect(try listed(daemon, socket, command) == jobs, "\(socket)")
            }
        }
        #expect(try daemon.client("list").ask("daemon:queue") == .good(""))
        try fifo.release()
        #expect(try blocker.reply().ok)
        #expect(try daemon.ask("daemon:wait 2").ok && daemon.ask("daemon:wait 3").ok)
        for (socket, jobs) in [("ci", [2]), ("other", [3]), ("socket", [2, 3])] {
            #expect(try listed(daemon, socket, "daemon:jobs") == jobs, "\(socket)")
        }
    }

    @Test func `a name touches its own jobs alone`() throws {
        let (daemon, fifo, blocker) = try held()
        let other = try daemon.client("other")
        func isRefused(_ error: JSON, _ commands: [String]) throws {
            for command in commands {
                let (mine, none) = try (
                    other.ask(["command": "\(command) 2"]), other.ask(["command": "\(command) 99"])
                )
                #expect(mine["error"] == error, "\(command)")
                #expect(
                    mine["output"]?.text?.replacingOccurrences(of: "2", with: "99") == none["output"]?.text,
                    "as if there were none")
            }
        }
        // Job 1 is not detached. Its owner is told so, nobody else.
        for command in ["daemon:wait", "daemon:output", "daemon:forget", "daemon:cancel"] {
            let (theirs, none) = try (
                other.ask(["command": "\(command) 1"]), other.ask(["command": "\(command) 9"])
            )
            #expect(theirs["error"] == none["error"])
            #expect(
                theirs["output"]?.text?.replacingOccurrences(of: "1", with: "9") == none["output"]?.text,
                "\(command)")
        }
        let known = ["daemon:wait", "daemon:output", "daemon:forget"]
        try isRefused("unknown_job", known)
        try isRefused("invalid_request", ["daemon:cancel"])
        #expect(
            try other.ask("daemon:cancel 1").ok == false
                && daemon.client("list").ask("daemon:cancel 2").ok == false)
        try fifo.release()
        #expect(try blocker.reply().ok)
        #expect(try daemon.client("ci2").ask("daemon:wait 2") == .good("<ci>"))
        try isRefused("unknown_job", known)
        #expect(try daemon.client("ci").ask("daemon:forget 2").ok)
        #expect(try daemon.ask("daemon:wait 3") == .good("<other>"))
    }

    @Test func `a job keeps its name over a restart`() throws {
        let (daemon, _, _) = try held()
        daemon.process.signal(SIGKILL)
        _ = try daemon.process.wait()
        let next = try DaemonProcess(
            daemon.box, sockets: daemon.sockets,
            settings: [
                "DOKKU_DAEMON_DOKKU": daemon.box.path("test-dokku"),
                "DOKKU_DAEMON_ALLOW_DIR": daemon.box.path("allow"),
                "DOKKU_SYSTEM_USER": "nobody",
            ])
        // The command that the first daemon left behind still holds the lock.
        for line in daemon.box.journal.lines where line.hasPrefix("held ") {
            kill(try #require(pid_t(line.split(separator: " ")[1])), SIGKILL)
        }
        #expect(try next.client("other").ask(["command": "daemon:wait 2"])["error"] == "unknown_job")
        #expect(try next.client("ci").ask("daemon:wait 2") == .good("<ci>"))
        #expect(try next.client("ci").ask("daemon:output 2").ok)
    }

    @Test func `a follower is told of its own jobs alone`() throws {
        let (daemon, fifo, blocker) = try held()
        let follower = try daemon.client("ci")
        try follower.send(#"{"command":"daemon:events","stream":true}"# + "\n")
        #expect(try follower.answer()["job"] == 2)
        #expect(try follower.answer()["event"] == "live")
        try fifo.release()
        #expect(try blocker.reply().ok)
        #expect(try daemon.ask("daemon:wait 3").ok)
        #expect(try daemon.client("ci2").ask("test:args x").ok)
        for job in [2, 2, 4, 4, 4] { #expect(try follower.answer()["job"]?.int == job) }
        #expect(try daemon.ask("refresh").ok)
        #expect(try follower.answer()["event"] == "refreshed")
    }

    @Test func `only those of one name share a run`() throws {
        let daemon = try daemon()
        let fifo = try daemon.box.fifo()
        let blocker = try daemon.connect()
        try blocker.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        let clients = try ["ci", "ci2", "ci", "other", "list", "socket", "socket"].map { socket in
            let client = try daemon.client(socket)
            try client.send("apps:list\n")
            return client
        }
        try daemon.settle()
        try fifo.release()
        for client in clients { #expect(try client.reply().ok) }
        #expect(daemon.ran.count { $0 == "apps:list" } == 4)
    }

    @Test func `a name is not told for whose job it waits`() throws {
        let (daemon, _, _) = try held()
        for (socket, isTold) in [("ci", false), ("other", false), ("socket", true)] {
            let client = try daemon.client(socket)
            try client.send(#"{"command":"apps:list","stream":true}"# + "\n")
            let event = try client.answer()
            #expect(event["event"] == "queued" && (event["waits_for"] != nil) == isTold, "\(event)")
        }
        for line in try daemon.client("ci").ask("daemon:queue").output.split(separator: "\n") {
            #expect(line.hasSuffix(" [waits for its turn]"), "\(line)")
        }
    }

    /// Who holds the lock is the host's business.
    @Test func `a name is not told who holds the lock`() throws {
        let daemon = try daemon()
        let file = try checked("open", open(daemon.box.path("lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o644))
        defer { close(file) }
        try checked("flock", flock(file, LOCK_EX))
        let client = try daemon.client("ci")
        #expect(try client.ask(["command": "apps:list", "detach": true])["ok"] == true)
        try Deadline().poll("the wait") {
            try daemon.ask("daemon:status").output.contains("waits for: the lock")
        }
        for command in [
            "daemon:status", "daemon:queue", "daemon:status --format json", "daemon:queue --format json",
        ] {
            let (named, own) = try (client.ask(command).output, daemon.ask(command).output)
            #expect(!named.contains("lock"), "\(named)")
            #expect(own.contains("lock"), "\(own)")
        }
    }

    @Test func `the log says the name`() throws {
        let daemon = try daemon()
        #expect(try daemon.client("ci").ask("test:args x").ok)
        _ = try daemon.log.line(with: "[cmd] #1 ", " name=ci ")
    }
}

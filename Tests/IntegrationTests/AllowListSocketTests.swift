// Sockets with a list of allowed commands: what reaches dokku, when the list is read, and what a wrong one does.
import Foundation
import TestSupport
import Testing

@Suite struct AllowListSocketTests {
    private static let list = """
        # What the blog's own app may do.
        test:args blog
        test:args --quiet blog *
        config:set --no-restart blog ...
        test:stdin <
        daemon:queue
        """

    private func daemon(_ list: String = list, rules: String = "allow=blog") throws -> DaemonProcess {
        try .withRights([("blog", rules)], lists: ["blog": list])
    }

    @Test func `what is listed runs, in each form`() throws {
        let daemon = try daemon()
        let client = try daemon.client("blog")
        #expect(try client.ask("test:args blog") == .good("<blog>"))
        #expect(try client.ask("'test:args'  \"blog\"").ok)
        #expect(try client.ask(["command": ["test:args", "blog"]])["exit_status"] == 0)
        #expect(try client.stream(["command": "test:args blog", "stream": true]).end["ok"] == true)
        #expect(try client.ask("test:args --quiet blog x").ok)
        #expect(try client.ask(["command": "test:stdin", "stdin": "hello"])["output"] == "hello")
        #expect(try client.ask("test:stdin").ok)
        for line in ["daemon:version", "daemon:help", "daemon:queue", "daemon:queue"] {
            #expect(try client.ask(line).ok, "\(line)")
        }
    }

    /// Each as a plain line, as a string and as an array.
    @Test func `nothing else reaches dokku`() throws {
        let daemon = try daemon()
        let client = try daemon.client("blog")
        for line in [
            "test:args", "test:args other", "test:args blog x", "test:args blog --quiet",
            "--quiet test:args blog",
            "--trace test:args blog", "--app other test:args blog", "test:args blog --app other",
            "test:args -- blog",
            "-- test:args blog", "test:args --quiet blog --app", "test:args --quiet blog ''",
            "test:args --quiet blog 'a b'",
            "test:args --quiet blog '*'", "test:args --quiet blog '...'", "test:args --quiet blog ../x",
            "test:args blog;test:args other", "test:args blog && test:args other", "test:args 'blog\u{1}'",
            "test:args:help", "Test:args blog", "test:args bl\\og blog", "config:set --no-restart other A=1",
            "config:set --no-restart blog A=1 --global", "config:set --no-restart blog --app other A=1",
            "config:set blog A=1", "test:args blog > /tmp/never", "test:args blog < /etc/passwd",
            "test:stdin < /etc/passwd",
            "commands", "refresh", "daemon:jobs", "daemon:cancel 1", "daemon:wait 1", "daemon:output 1",
            "daemon:forget 1", "daemon:events", "daemon:status", "daemon:submit test:args blog",
            "daemon:queue --format json",
            "help", "version", "no:such", "enter blog web ls", "shell",
        ] {
            #expect(try !client.ask(line).ok, "\(line)")
            #expect(try client.ask(["command": .text(line)])["error"] == "denied", "\(line)")
        }
        for words: [JSON] in [
            ["test:args blog"], ["test:args", "blog\ntest:args other"], ["test:args", "blog", ""],
            ["", "test:args", "blog"],
            ["test:args", "--quiet", "blog", "x\u{7f}"],
        ] {
            #expect(try client.ask(["command": .list(words)])["error"] == "denied", "\(words)")
        }
        #expect(try client.ask(["command": "test:args blog", "detach": true])["error"] == "denied")
        #expect(try client.ask(["command": "test:args blog", "stdin": ""])["error"] == "denied")
        #expect(try client.ask(["command": "daemon:events", "stream": true])["error"] == "denied")
        try client.order(#"{"command":"test:args blog","stdin_length":5}"#)
        try client.send("blog\n")
        #expect(try client.answer()["error"] == "denied")
        #expect(try client.ask("test:args blog").ok, "the input was no line")
        #expect(daemon.ran == ["test:args blog"])
    }

    @Test func `the names are those of the list`() throws {
        let daemon = try daemon("commands\napps:list\nplugin:list\nno:such\n")
        #expect(try daemon.client("blog").ask("commands") == .good("apps:list\nplugin:list"))
    }

    @Test func `a detached job needs lines of its own`() throws {
        let daemon = try daemon("test:args blog\ndaemon:submit test:args *\ndaemon:wait *\n")
        let client = try daemon.client("blog")
        #expect(try client.ask("daemon:submit test:args blog") == .good("1"))
        #expect(try client.ask(["command": "test:args blog", "detach": true])["job"] == 2)
        #expect(try client.ask(["command": "daemon:submit test:args other"])["error"] == "denied")
        #expect(try client.ask("daemon:wait 2") == .good("<blog>"))
        #expect(try daemon.submit("test:args", "mine") == 3)
        #expect(try client.ask(["command": "daemon:wait 3"])["error"] == "unknown_job")
    }

    @Test func `the other rules hold as well`() throws {
        let daemon = try daemon("apps:list\napps:create x\n", rules: "read-only,allow=blog,raw-words")
        let client = try daemon.client("blog")
        #expect(try client.ask("apps:list").ok)
        #expect(try !client.ask("apps:create x").ok && !client.ask("apps:exists x").ok)
    }

    // MARK: The file

    @Test func `a list is read again on a signal`() throws {
        let daemon = try daemon()
        let client = try daemon.client("blog")
        #expect(try client.ask("test:args blog").ok)
        try daemon.box.write("test:args shop\n", to: "allow/blog")
        #expect(try client.ask("test:args blog").ok, "not before the signal")
        daemon.process.signal(SIGHUP)
        try Deadline().poll("the new list") { try client.ask("test:args shop").ok }
        #expect(try !client.ask("test:args blog").ok)
    }

    @Test func `a list that is read while an input comes decides`() throws {
        let daemon = try daemon()
        let client = try daemon.client("blog")
        try client.send(#"{"command":"test:stdin","stdin_length":5}"# + "\nhel")
        let chunks = try daemon.client("blog")
        try chunks.send(#"{"command":"test:stdin","stdin_chunks":true}"# + "\n")
        #expect(try chunks.answer()["event"] == "continue")
        try daemon.box.write("test:args shop\n", to: "allow/blog")
        daemon.process.signal(SIGHUP)
        try Deadline().poll("the new list") { try daemon.client("blog").ask("test:args shop").ok }
        try client.send("lo")
        #expect(try client.answer()["error"] == "denied")
        try chunks.send("2\nhe0\n")
        #expect(try chunks.answer()["error"] == "denied")
        #expect(daemon.ran == ["test:args shop"])
    }

    @Test func `a wrong list does not replace a right one`() throws {
        let daemon = try daemon()
        let client = try daemon.client("blog")
        try daemon.box.write("test:args shop\n* x\n", to: "allow/blog")
        daemon.process.signal(SIGHUP)
        let fault = "\(daemon.box.path("allow/blog")): line 2: "
        try Deadline().poll("the complaint") { daemon.errors.contains(fault) }
        #expect(daemon.errors.contains("the list of before stays in use"))
        #expect(try client.ask("test:args blog").ok && !client.ask("test:args shop").ok)
    }

    @Test func `with a wrong list nothing is served until it is right`() throws {
        let daemon = try daemon("test:args blog\ntest:args 'blog'\n")
        for socket in ["socket", "blog"] {
            let answer = try daemon.client(socket).ask(["command": "test:args blog"])
            #expect(answer["error"] == "misconfigured")
            #expect(answer["output"]?.text?.contains("\(daemon.box.path("allow/blog")): line 2: ") == true)
        }
        #expect(daemon.ran == [])
        daemon.process.signal(SIGHUP)
        #expect(try daemon.process.wait() == .status(78), "systemd starts it again")
    }

    @Test func `without its list a socket serves nothing`() throws {
        let daemon = try DaemonProcess.withRights([("blog", "allow=none")])
        let answer = try daemon.ask(["command": "apps:list"])
        #expect(answer["error"] == "misconfigured" && answer["output"]?.text?.contains("allow/none") == true)
    }

    @Test func `a socket of the daemon's own has such rules, too`() throws {
        let box = try Box()
        _ = try box.makeFolder("allow")
        try box.write("test:args blog\n", to: "allow/blog")
        let settings = [
            "DOKKU_DAEMON_LISTENER": "allow=blog", "DOKKU_DAEMON_ALLOW_DIR": box.path("allow"),
        ]
        let daemon = try DaemonProcess(box, sockets: [], settings: settings)
        #expect(try daemon.ask("test:args blog").ok && !daemon.ask("test:args").ok)
    }
}

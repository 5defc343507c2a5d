// Which commands there are: read from dokku, kept, and read again when plugins change.
import Glibc
import TestSupport
import Testing

@Suite struct CatalogueTests {
    /// A dokku of the test's own, in shell. `$1 $2` are its arguments.
    private func daemon(dokku script: String?, mode: mode_t = 0o755, in box: Box) throws -> DaemonProcess {
        let path = box.path("dokku")
        if let script { try box.write("#!/bin/sh\n" + script, to: "dokku", mode: mode) }
        return try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], settings: ["DOKKU_DAEMON_DOKKU": path])
    }

    @Test func `a missing dokku is an error to the client and not the end`() throws {
        let box = try Box()
        let daemon = try daemon(dokku: nil, in: box)
        for line in ["apps:list", "commands", "refresh"] {
            let reply = try daemon.ask(line)
            #expect(!reply.ok && reply.output.contains(box.path("dokku")), "\(line): \(reply.output)")
        }
        // Once it is there it is found.
        try box.write("#!/bin/sh\nexec '\(DaemonProcess.standIn)/dokku' \"$@\"\n", to: "dokku", mode: 0o755)
        #expect(try daemon.ask("apps:create a") == .good("Creating a... done"))
    }

    @Test func `a dokku that is not executable is an error`() throws {
        let box = try Box()
        let daemon = try daemon(dokku: "exit 0", mode: 0o644, in: box)
        let reply = try daemon.ask("apps:list")
        #expect(!reply.ok && reply.output.contains(box.path("dokku")))
        chmod(box.path("dokku"), 0o755)
        #expect(try daemon.ask("daemon:version").ok)
    }

    @Test(arguments: ["exit 3", "kill -9 $$", "exit 0", "echo 'no commands here'", "cat; exit 1"])
    func `a dokku that dies in its listing is an error`(script: String) throws {
        let box = try Box()
        let daemon = try daemon(dokku: script, in: box)
        let client = try daemon.connect()
        for line in ["apps:list", "commands", "refresh", "nonsense:x"] {
            let reply = try client.ask(line)
            #expect(!reply.ok && !reply.output.isEmpty, "\(line)")
        }
        #expect(try client.ask("daemon:version").ok)
        try box.write("#!/bin/sh\nexec '\(DaemonProcess.standIn)/dokku' \"$@\"\n", to: "dokku", mode: 0o755)
        #expect(try client.ask("refresh") == .good("Refreshed commands"))
        #expect(try client.ask("apps:create a").ok)
    }

    /// As long as nobody knows which commands there are, what looks like one of a plugin may be a password.
    @Test func `no unknown name is logged without a listing`() throws {
        let box = try Box()
        let path = box.path("dokku")
        try box.write("#!/bin/sh\nexit 3\n", to: "dokku", mode: 0o755)
        let sockets = try [
            BoundSocket(box.path("socket")),
            BoundSocket(box.path("read-only.sock"), name: "read-only"),
        ]
        let daemon = try DaemonProcess(box, sockets: sockets, settings: ["DOKKU_DAEMON_DOKKU": path])
        let client = try daemon.connect()
        #expect(try !client.ask("user:hush1 hush2").ok)
        #expect(try !daemon.connect(box.path("read-only.sock")).ask("user:hush3 hush4").ok)
        #expect(try !client.ask("daemon:version hush5").ok)
        #expect(try !client.ask("apps:create shop").ok)
        #expect(try daemon.stop() == .status(0))
        #expect(!daemon.log.text.contains("hush"), "\(daemon.log.text)")
        #expect(daemon.log.text.contains("apps:create shop"))
    }

    /// Nor one that is refused before anybody asks whether it is a command.
    @Test func `an unknown name with too much input is not logged`() throws {
        let daemon = try DaemonProcess()
        let client = try daemon.connect()
        try client.send(#"{"command":"user:hush1 hush2","stdin_length":9999999999}"# + "\n")
        #expect(try client.line().contains("input_too_long"))
        #expect(try daemon.stop() == .status(0))
        #expect(!daemon.log.text.contains("hush"), "\(daemon.log.text)")
    }

    @Test func `requests wait for the first listing`() throws {
        let box = try Box()
        let fifo = try box.fifo()
        let script =
            "[ \"$1\" != help ] || read line <\(fifo.path)\nexec '\(DaemonProcess.standIn)/dokku' \"$@\"\n"
        let daemon = try daemon(dokku: script, in: box)
        let early = try daemon.connect()
        try early.send("apps:create early\n")
        let listing = try daemon.connect()
        try listing.send("commands\n")
        // What needs no catalogue does not wait.
        #expect(try daemon.ask("daemon:version").ok)
        #expect(!box.has("apps/early"))
        try fifo.release()
        #expect(try early.reply() == .good("Creating early... done"))
        #expect(try listing.reply().ok)
    }

    /// A dokku that lists what stands in the file `listed`, and that notes each listing in the journal.
    private let listing = """
        if [ "$1 $2" = "help --all" ]; then
            echo "listing" >>"$STAND_IN_JOURNAL"
            while read -r name; do printf '    %s <app>       \\033[1mdoes something\\033[0m     more\\n' "$name"; done <"${0%/*}/listed"
        else
            echo "ran $*"
        fi

        """

    @Test func `refresh brings what is new`() throws {
        let box = try Box()
        try box.write("apps:list\napps:list\nnew:a:b:c\n", to: "listed")
        let daemon = try daemon(dokku: listing, in: box)
        #expect(try daemon.ask("commands") == .good("apps:list\nnew:a:b:c"))
        #expect(try daemon.ask("new:a:b:c x") == .good("ran new:a:b:c x"))
        #expect(try daemon.ask("newer") == .bad("Invalid command"))
        try box.write("apps:list\nnewer\n", to: "listed")
        #expect(try daemon.ask("refresh") == .good("Refreshed commands"))
        #expect(try daemon.ask("newer") == .good("ran newer"))
        #expect(try daemon.ask("new:a:b:c x") == .bad("Invalid command"))
        #expect(try daemon.ask("commands") == .good("apps:list\nnewer"))
    }

    @Test func `unlisted commands and aliases are known if their targets are`() throws {
        let box = try Box()
        try box.write("apps:list\nscheduler-docker-local:report\nbuilder-pack:set\n", to: "listed")
        let daemon = try daemon(dokku: listing, in: box)
        for line in ["apps", "docker-local:report app", "pack:set app x y", "ps:help"] {
            #expect(try daemon.ask(line) == .good("ran \(line)"), "\(line)")
        }
        for line in ["k3s:report", "docker-local:sett", "pack:report", "git-hook"] {
            #expect(try daemon.ask(line) == .bad("Invalid command"), "\(line)")
        }
    }

    private func listings(_ box: Box) -> Int { box.journal.lines.filter { $0 == "listing" }.count }

    @Test func `a kept catalogue is used if no plugin has changed`() throws {
        let box = try Box()
        try box.write("apps:list\n", to: "listed")
        let socket = try BoundSocket(box.path("socket"))
        try box.write("#!/bin/sh\n" + listing, to: "dokku", mode: 0o755)
        let settings = ["DOKKU_DAEMON_DOKKU": box.path("dokku")]
        func session() throws {
            let daemon = try DaemonProcess(box, sockets: [socket], settings: settings)
            #expect(try daemon.ask("apps:list").ok)
            #expect(try daemon.stop() == .status(0))
        }
        try session()
        #expect(listings(box) == 1)
        try session()
        #expect(listings(box) == 1)
        _ = try box.makeFolder("plugins/enabled/postgres")
        try session()
        #expect(listings(box) == 2)
        try box.write("broken", to: "state/catalogue")
        for name in ["catalogue", "commands"] where box.has("state/\(name)") {
            try box.write("broken", to: "state/\(name)")
        }
        try session()
    }

    @Test func `a plugin installed by other hands is noticed`() throws {
        let box = try Box()
        try box.write("apps:list\n", to: "listed")
        let daemon = try daemon(dokku: listing, in: box)
        #expect(try daemon.ask("postgres:list") == .bad("Invalid command"))
        try box.write("apps:list\npostgres:list\n", to: "listed")
        _ = try box.makeFolder("plugins/enabled/postgres")
        #expect(try daemon.ask("postgres:list") == .good("ran postgres:list"))
        // And what is gone is gone, as soon as the new listing stands.
        try box.write("apps:list\n", to: "listed")
        rmdir(box.path("plugins/enabled/postgres"))
        #expect(try daemon.ask("commands") == .good("apps:list"))
        #expect(try daemon.ask("postgres:list") == .bad("Invalid command"))
    }

    @Test func `a plugin command that succeeded is followed by a listing`() throws {
        let box = try Box()
        try box.write("plugin:install\n", to: "listed")
        let daemon = try daemon(dokku: listing, in: box)
        #expect(try daemon.ask("commands") == .good("plugin:install"))
        try box.write("plugin:install\nredis:list\n", to: "listed")
        #expect(try daemon.ask("plugin:install https://example.com/x.git").ok)
        #expect(try daemon.ask("redis:list") == .good("ran redis:list"))
    }

    /// A dokku whose listing fails as long as the file `broken` is there, and that waits for `gate` with it half done.
    private func breakable(_ box: Box) throws -> DaemonProcess {
        try box.write("apps:list\n", to: "listed")
        let script = """
            here=${0%/*}
            if [ "$1 $2" = "help --all" ] && [ -e "$here/broken" ]; then exit 1; fi
            if [ "$1 $2" = "help --all" ] && [ -p "$here/gate" ]; then
                names=$(cat "$here/listed")
                echo "half listed" >>"$STAND_IN_JOURNAL"
                read -r line <"$here/gate"
                for name in $names; do echo "    $name"; done
                exit
            fi

            """
        return try daemon(dokku: script + listing, in: box)
    }

    @Test func `a listing that fails does not forget that plugins have changed`() throws {
        let box = try Box()
        let daemon = try breakable(box)
        let client = try daemon.connect()
        #expect(try client.ask("apps:list").ok)
        try box.write("", to: "broken")
        try box.write("apps:list\npostgres:list\n", to: "listed")
        _ = try box.makeFolder("plugins/enabled/postgres")
        for _ in 0..<20 {
            let reply = try client.ask("postgres:list")
            #expect(!reply.ok && reply.output.contains("help --all"))
        }
        // What is known runs meanwhile.
        #expect(try client.ask("apps:list").ok)
        unlink(box.path("broken"))
        // For a second a failure stands for all who ask the same.
        let end = ContinuousClock.now + .seconds(20)
        var reply = try client.ask("postgres:list")
        while !reply.ok, ContinuousClock.now < end { reply = try client.ask("postgres:list") }
        #expect(reply == .good("ran postgres:list"))
    }

    @Test func `a listing that began before the plugin came is not current`() throws {
        let box = try Box()
        let daemon = try breakable(box)
        let (first, second) = (try daemon.connect(), try daemon.connect())
        #expect(try first.ask("apps:list").ok)
        let gate = try box.fifo("gate")
        try first.send("refresh\n")
        try box.journal.line(with: "half listed")
        try box.write("apps:list\npostgres:list\n", to: "listed")
        _ = try box.makeFolder("plugins/enabled/postgres")
        try second.send("postgres:list\n")
        // By now the daemon has taken it.
        #expect(try daemon.ask("daemon:version").ok)
        rename(box.path("gate"), box.path("gone"))
        try gate.release()
        #expect(try first.reply() == .good("Refreshed commands"))
        #expect(try second.reply() == .good("ran postgres:list"))
    }
}

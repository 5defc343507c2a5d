// What the client offers shells, and what bash, zsh and fish make of it.
import Foundation
import TestSupport
import Testing

@Suite struct ClientCompletionTests {
    private let daemon: DaemonProcess
    private let cache: String
    private let path: String

    init() throws {
        daemon = try DaemonProcess()
        _ = try daemon.ask("apps:create blog")
        _ = try daemon.ask("apps:create shop")
        cache = try daemon.box.makeFolder("cache")
        let programs = try daemon.box.makeFolder("programs")
        symlink(ClientProcess.binary, programs + "/dokku-client")
        path = "\(programs):\(String(cString: getenv("PATH")))"
    }

    private var environment: [String: String] { ["XDG_CACHE_HOME": cache, "PATH": path] }

    private func offered(_ words: String..., environment: [String: String] = [:]) throws -> [String] {
        try offered(words, environment: environment)
    }

    private func offered(_ words: [String], environment: [String: String] = [:]) throws -> [String] {
        let client = try ClientProcess(
            ["--complete"] + words, to: daemon.path,
            environment: self.environment.merging(environment) { _, given in given })
        let end = try client.end()
        #expect(end.exit == .status(0) && end.errors.isEmpty, "\(end)")
        return end.output.split(separator: "\n").map(String.init)
    }

    private func script(_ name: String) -> String {
        Repository.path("packaging/completions/dokku-client.\(name)")
    }

    // MARK: - The client

    @Test func `commands come first, dokku's and the daemon's`() throws {
        for words in [[""], ["-q", "ap"], ["--", ""], ["-S", daemon.path, "x"], ["daemon:submit", ""]] {
            let names = try offered(words)
            #expect(names.contains("apps:create") && names.contains("daemon:queue"), "\(words)")
        }
    }

    @Test func `apps follow a command that takes one`() throws {
        for words in [["ps:rebuild", ""], ["config", "b"], ["--app", ""]] {
            #expect(try offered(words[0], words[1]) == ["blog", "shop"], "\(words)")
        }
        #expect(try offered("config:set", "--no-restart", "") == ["blog", "shop"])
        #expect(try offered("daemon:submit", "ps:rebuild", "") == ["blog", "shop"])
        for words in [
            ["apps:create", ""], ["postgres:info", ""], ["network:destroy", ""], ["ps:rebuild", "-"],
        ] {
            #expect(try offered(words[0], words[1]) == [], "\(words)")
        }
        #expect(try offered("ps:scale", "blog", "") == [])
    }

    @Test func `options are offered before a command alone`() throws {
        #expect(try offered("-").contains("--detach"))
        #expect(try offered("apps:list", "-") == [])
        #expect(try offered("--", "-").contains("apps:list"))
    }

    @Test func `names are kept for a minute`() throws {
        #expect(try offered("ps:rebuild", "") == ["blog", "shop"])
        _ = try daemon.ask("apps:create third")
        #expect(try offered("ps:rebuild", "") == ["blog", "shop"])
        for file in try FileManager.default.contentsOfDirectory(atPath: cache + "/dokku-client") {
            try daemon.box.age("cache/dokku-client/\(file)")
        }
        #expect(try offered("ps:rebuild", "") == ["blog", "shop", "third"])
    }

    @Test func `a full or missing cache is no trouble`() throws {
        for place in ["/dev/null", "/nowhere", "relative"] {
            #expect(
                try offered("ps:rebuild", "", environment: ["XDG_CACHE_HOME": place]) == ["blog", "shop"],
                "\(place)")
        }
        #expect(!daemon.box.has("relative"))
    }

    @Test func `many shells at once read and write whole lists`() throws {
        let clients = try (1...12).map { _ in
            try ClientProcess(["--complete", "ps:rebuild", ""], to: daemon.path, environment: environment)
        }
        for client in clients { #expect(try client.end().output == "blog\nshop\n") }
        let files = try FileManager.default.contentsOfDirectory(atPath: cache + "/dokku-client")
        #expect(files.count == 1, "\(files)")
    }

    @Test func `a daemon that is busy or silent is waited for a second`() throws {
        #expect(try offered("ps:rebuild", "") == ["blog", "shop"])
        try daemon.box.age(
            "cache/dokku-client/"
                + FileManager.default.contentsOfDirectory(atPath: cache + "/dokku-client").joined())
        // Behind a deploy the question would wait in the queue.
        let fifo = try daemon.box.fifo()
        let deploy = try daemon.connect()
        try deploy.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        let start = ContinuousClock.now
        #expect(try offered("ps:rebuild", "") == ["blog", "shop"])
        #expect(try offered("ps:rebuild", "") == ["blog", "shop"])
        // Once for both, with room for a slow machine.
        #expect(ContinuousClock.now - start < .seconds(20))
        try fifo.release()
        _ = try daemon.ask("apps:list")
        // It has left the queue with who asked.
        #expect(daemon.ran.count { $0 == "--quiet apps:list" } == 1)
    }

    @Test func `a daemon that never answers or accepts holds up nobody`() throws {
        let silent = try BoundSocket(daemon.box.path("silent"))
        #expect(try offered("-S", silent.path, "") == [])
        listen(silent.descriptor, 0)
        let waiting = (1...2).compactMap { _ in try? TestClient(to: silent.path, owner: daemon) }
        #expect(try offered("-S", silent.path, "ps:rebuild", "") == [])
        withExtendedLifetime(waiting) {}
        #expect(try offered("-S", "/nowhere", "") == [])
    }

    @Test func `nobody waits for ssh`() throws {
        #expect(try offered("-H", "ssh://a", "") == [])
        #expect(try offered("", environment: ["DOKKU_HOST": "ssh://a"]) == [])
        #expect(try offered("-H", "ssh://a", "-").contains("--quiet"))
    }

    @Test func `a name that a shell would read as more is left out`() throws {
        try daemon.box.makeFolder("apps/$(id)")
        try daemon.box.makeFolder("apps/a b")
        #expect(try offered("ps:rebuild", "") == ["a", "blog", "shop"])
    }

    // MARK: - Shells

    /// Types into an interactive shell, and waits for what the shell makes of it.
    private func type(_ shell: [String], _ setup: String, _ lines: [(typed: String, becomes: String)]) throws
    {
        let terminal = try PseudoTerminal(columns: 200)
        let variables = [
            "DOKKU_SOCK_PATH": daemon.path, "TERM": "dumb", "HOME": daemon.box.path, "PS1": "> ",
            "LC_ALL": "C.UTF-8",
        ]
        let process = try Spawned(
            shell, environment: environment.merging(variables) { _, given in given },
            descriptors: [terminal.line, terminal.line, terminal.line], terminal: terminal.path)
        try terminal.type("\(setup); echo rea''dy\n")
        _ = try terminal.screen.upTo("ready\r\n")
        for line in lines {
            try terminal.type(line.typed)
            _ = try terminal.screen.upTo(line.becomes)
            // Ctrl-U: a new line.
            try terminal.type("\u{15}")
        }
        try terminal.type("exit\n")
        _ = try process.wait()
    }

    private let lines = [
        ("dokku-client apps:cr\t", "apps:create "), ("dokku-client ps:rebuild bl\t", "rebuild blog "),
        ("dokku-client -q daemon:qu\t", "daemon:queue "), ("dokku-client --det\t", "--detach "),
    ]

    @Test func `bash completes`() throws {
        try type(["bash", "--norc", "--noprofile", "-i"], "source '\(script("bash"))'", lines)
    }

    @Test func `zsh completes`() throws {
        let functions = try daemon.box.makeFolder("functions")
        symlink(script("zsh"), functions + "/_dokku-client")
        try type(
            ["zsh", "-f", "-i"], "fpath=('\(functions)' $fpath); autoload -U compinit; compinit -u -D", lines)
    }

    @Test func `fish completes`() throws {
        for (typed, becomes) in lines {
            let line = typed.dropLast()
            let found = try PipedProgram(
                ["fish", "--no-config", "-c", "source '\(script("fish"))'; complete -C '\(line)'"],
                environment: environment.merging(["DOKKU_SOCK_PATH": daemon.path, "HOME": daemon.box.path]) {
                    $1
                })
            let names = try found.finish().output.split(separator: "\n").map { $0.prefix { $0 != "\t" } }
            #expect(names.map(String.init) == [String(becomes.split(separator: " ").last ?? "")], "\(line)")
        }
    }
}

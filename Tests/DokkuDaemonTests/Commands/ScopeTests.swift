// What a line changes, and which lines may run at the same time.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

func scope(of line: String, changesFiles: Bool = false) throws -> Scope {
    try scope(of: ArgumentList(CommandFacts.words(line)), changesFiles: changesFiles)
}

func scope(of words: ArgumentList, changesFiles: Bool = false) throws -> Scope {
    Scope(of: try #require(Invocation(words)), changesFiles: changesFiles)
}

extension Scope {
    static func app(named name: String) -> Scope { .app(Array(name.utf8)[...]) }
}

@Suite struct ScopeTests {
    private static let commands = CommandTable.traits.keys.sorted()

    private static func names(_ holds: (Reach) -> Bool) -> [String] {
        commands.filter { holds(CommandTable.traits[$0]?.reach ?? .host) }
    }

    private static let ofOneApp = names { if case .app = $0 { true } else { false } }

    // MARK: Nothing

    @Test(arguments: commands.filter { CommandTable.traits[$0]?.reading != nil })
    func `what a read-only socket runs changes nothing, with whatever words`(name: String) throws {
        for line in [
            name, "\(name) x", "\(name) --global", "\(name) x --format json", "--app x \(name) --all",
            "--trace \(name) ../x y", "--app x --app y \(name)", "\(name) --app",
        ] {
            #expect(try scope(of: line) == .nothing, "\(line)")
        }
    }

    @Test(arguments: [
        "logs x", "logs x -t", "logs -n 5 x", "config x", "config:get x K", "config:export --global",
        "config:bundle --merged x", "cron:list --global", "ps:inspect x", "run:list x", "run:logs x -t",
        "nginx:show-config x", "nginx:access-logs x -t", "certs:show x crt", "events", "events -t",
        "builds:output x", "buildpacks:list x", "docker-options:report", "traefik:labels:show x",
        "caddy:logs --tail", "storage:labels:report", "k3s:show-kubeconfig", "k3s:report --global", "trace",
    ])
    func `other reads change nothing`(line: String) throws {
        #expect(try scope(of: line) == .nothing)
    }

    @Test func `help changes nothing, whoever gives it`() throws {
        for line in [
            "postgres:help", "apps:create:help", "--quiet postgres:help", "apps:help", "cleanup:help",
        ] {
            #expect(try scope(of: line) == .nothing, "\(line)")
        }
        for line in ["postgres:help x", "postgres", "postgres:helps", "Postgres:help", "help:postgres"] {
            #expect(try scope(of: line) == .host, "\(line)")
        }
        #expect(try scope(of: ["../postgres:help"]) == .host)
    }

    @Test func `a line that writes a file changes the host`() throws {
        for line in ["apps:list", "postgres:help", "config:export x", "ps:rebuild x", "apps:create x"] {
            #expect(try scope(of: line, changesFiles: true) == .host, "\(line)")
        }
        #expect(try scope(of: "trace:on", changesFiles: true) == .everything)
    }

    // MARK: One app

    @Test(arguments: ofOneApp)
    func `a command of one app names it first, or before the command`(name: String) throws {
        for line in [
            "\(name) x", "\(name) x y z", "--app x \(name)", "--app x \(name) y", "--quiet --app x \(name)",
            "\(name) x --force -q --no-restart", "--force \(name) x",
        ] {
            #expect(try scope(of: line) == .app(named: "x"), "\(line)")
        }
        for line in [
            name, "\(name) --unknown x", "\(name) -x x", "\(name) -- x", "\(name) - x", "\(name) x --all",
            "\(name) x --all-apps", "\(name) --all x", "\(name) --global x", "\(name) x y --global",
            "\(name) x --global=false", "\(name) x --parallel 2", "\(name) --parallel=-1 x",
            "\(name) x --app y", "\(name) x --app", "--app x \(name) --app y", "--app x --app y \(name)",
            "--app x --app x \(name)", "--app x \(name) --all", "--app x \(name) y --global",
            "--app -x \(name)", "--app X \(name)", "--app a/b \(name) y", "--app .ssh \(name) y",
        ] {
            #expect(try scope(of: line) == .host, "\(line)")
        }
    }

    @Test(arguments: ["x", "0", "my-app_1.example.com", "a..", "9-", "x-"])
    func `an app's name`(name: String) throws {
        #expect(try scope(of: "ps:rebuild \(name)") == .app(named: name))
        #expect(try scope(of: "--app \(name) ps:rebuild") == .app(named: name))
    }

    @Test(arguments: [
        "", "X", "aX", "_x", ".x", ".", "..", "../x", "a/b", "a b", "a\tb", "a\n", "é", "a=b", "x:y", "*",
        "$x",
        "~", "-x", "@", "a,b", "x\u{0}", "x\u{301}",
    ])
    func `no app's name`(name: String) throws {
        #expect(try scope(of: ["ps:rebuild", name]) == .host)
        #expect(try scope(of: ["config:set", "--no-restart", name, "A=1"]) == .host)
        #expect(try scope(of: ["--app", name, "ps:rebuild", "x"]) == .host)
    }

    @Test func `a name of other bytes is no app's`() throws {
        var words: ArgumentList = ["ps:rebuild"]
        words.append([0x61, 0xff])
        words.endWord()
        #expect(try scope(of: words) == .host)
    }

    @Test(arguments: [
        ("config:set --no-restart x A=1", "x"), ("config:set --encoded --no-restart x A=1", "x"),
        ("config:set x --no-restart A=--all", "x"), ("config:import --format json x", "x"),
        ("config:import --format=json --replace x -", "x"), ("git:sync --build x https://h/r", "x"),
        ("git:from-image --build-dir a x image", "x"), ("git:from-archive --archive-type zip x url", "x"),
        ("run -e A=1 --env B=2 --no-tty x ls -a", "x"), ("run --env=A=1 -e=B=2 x", "x"),
        ("run -e --env x", "x"), ("resource:limit --cpu 1 --memory=2 x", "x"),
        ("docker-options:add --process web x deploy --link", "x"), ("ps:scale --skip-deploy x web=1", "x"),
        ("ps:scale x web=1 worker=0", "x"), ("buildpacks:set --index 1 --replace x url", "x"),
        ("k3s:set x namespace y", "x"), ("nixpacks:set x y z", "x"), ("--app x run --env A=1", "x"),
        ("run:detached --ttl-seconds 5 x sleep", "x"), ("cron:run --detach x 1", "x"),
    ])
    func `known flags may stand before the app`(line: String, app: String) throws {
        #expect(try scope(of: line) == .app(named: app))
    }

    @Test(arguments: [
        "config:set --no-restart", "config:set --no-restart=true x A=1", "config:set --norestart x A=1",
        "config:set --no-restar x", "config:set --no-restart --global x A=1", "config:import --format",
        "config:import --format json", "config:import --formatx x", "git:sync --build-dir x y", "run -e",
        "run -eA=1 x",
        "run -e A=1", "run --cron-id 1 x", "run x curl --all", "resource:limit --cpu",
        "resource:limit --cpux 1 x",
        "resource:limit --cpu --global 1 x", "apps:lock --no-restart x", "ps:rebuild --force x",
        "ps:scale --skip-deploy= x", "resource:limit --app x y",
    ])
    func `other flags before the app, and flags without one, do not`(line: String) throws {
        #expect(try scope(of: line) == .host)
    }

    @Test func `each flag of the table stands before the app, with its value`() throws {
        #expect(Set(Reach.leadingFlags.keys).isSubset(of: Self.ofOneApp))
        for (name, flags) in Reach.leadingFlags {
            for flag in flags {
                let bare = flag.hasSuffix("=") ? String(flag.dropLast()) : flag
                #expect(flag.hasPrefix("-") && !bare.contains("="), "\(name) \(flag)")
                for form in flag.hasSuffix("=") ? ["\(bare) 1", "\(bare)=1", "\(bare)="] : [bare] {
                    #expect(try scope(of: "\(name) \(form) x y") == .app(named: "x"), "\(name) \(form)")
                    #expect(try scope(of: "\(name) \(form)") == .host, "\(name) \(form)")
                }
            }
        }
    }

    // MARK: The host

    @Test(arguments: names { $0 == .host })
    func `a command of the host is one with whatever words`(name: String) throws {
        for line in [name, "\(name) x", "--app x \(name)", "\(name) x y --force"] {
            #expect(try scope(of: line) == .host, "\(line)")
        }
    }

    @Test(arguments: [
        "postgres:create x", "postgres:list", "letsencrypt:enable x", "--app x letsencrypt:enable", "app",
        "x",
        "apps:unknown x", "k3s:unknown x", "nginx-vhosts:set x", "ps:rebuild:x x",
    ])
    func `what is unknown changes the host`(line: String) throws {
        #expect(try scope(of: line) == .host)
    }

    @Test(arguments: names { $0 == .everything })
    func `what each dokku reads as it begins is changed alone`(name: String) throws {
        for line in [name, "\(name) x", "--app x \(name)"] {
            #expect(try scope(of: line) == .everything, "\(line)")
        }
    }

    // MARK: Side by side

    @Test func `who may run beside whom`() {
        let x = Scope.app(named: "x")
        let y = Scope.app(named: "y")
        let pairs: [(Scope, Scope, Bool)] = [
            (.nothing, .nothing, true), (.nothing, x, true), (.nothing, .host, true),
            (.nothing, .everything, false),
            (x, .app(named: "x"), false), (x, y, true), (x, .app(named: "xx"), true), (x, .host, false),
            (x, .everything, false),
            (.host, .host, false), (.host, .everything, false), (.everything, .everything, false),
        ]
        for (first, second, expected) in pairs {
            #expect(first.mayRunBeside(second) == expected, "\(first) \(second)")
            #expect(second.mayRunBeside(first) == expected, "\(second) \(first)")
        }
    }

    @Test(arguments: [
        ("git:sync --build x url", "ps:rebuild y", true),
        ("git:sync --build x url", "--app x ps:report", true),
        ("ps:rebuild x", "--app x config:set A=1", false), ("ps:rebuild x", "ps:rebuild --all", false),
        ("ps:rebuild x", "apps:create y", false), ("apps:create x", "apps:list", true),
        ("plugin:install url", "ps:report", true), ("trace:on", "apps:list", false),
        ("logs x -t", "apps:destroy x --force", true), ("letsencrypt:enable x", "ps:restart y", false),
    ])
    func `lines side by side`(first: String, second: String, expected: Bool) throws {
        #expect(try scope(of: first).mayRunBeside(scope(of: second)) == expected)
        #expect(try scope(of: second).mayRunBeside(scope(of: first)) == expected)
    }
}

// What is run, answered or refused, and with which words.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

/// The requests of these tests, by the way they come.
enum Forms {
    static let plain = RequestForm(isPlain: true, isStreamed: false, hasInput: false, isRedirected: false)
    static let json = RequestForm(isPlain: false, isStreamed: false, hasInput: false, isRedirected: false)
    static let stream = RequestForm(isPlain: false, isStreamed: true, hasInput: false, isRedirected: false)
    static let input = RequestForm(isPlain: false, isStreamed: false, hasInput: true, isRedirected: false)
    static let fromFile = RequestForm(isPlain: true, isStreamed: false, hasInput: true, isRedirected: true)
    static let toFile = RequestForm(isPlain: true, isStreamed: false, hasInput: false, isRedirected: true)

    /// Every name of the table that help lists, and a plugin's.
    static let catalogue = Catalogue(
        listed: CommandTable.traits.filter(\.value.isListed).keys
            + [
                "postgres:create", "postgres:destroy", "postgres:import", "postgres:export", "postgres:logs",
                "postgres:list",
            ])
}

func judge(
    _ words: ArgumentList, _ form: RequestForm = Forms.plain, on listener: ListenerOptions = [],
    with catalogue: Catalogue? = Forms.catalogue
) -> Verdict {
    Policy.judge(words, form: form, permission: Permission(ListenerRules(listener)), catalogue: catalogue)
}

func judge(
    _ line: String, _ form: RequestForm = Forms.plain, on listener: ListenerOptions = [],
    with catalogue: Catalogue? = Forms.catalogue
) -> Verdict {
    judge(ArgumentList(CommandFacts.words(line)), form, on: listener, with: catalogue)
}

extension Verdict {
    var code: ErrorCode? { if case .refuse(let refusal) = self { refusal.code } else { nil } }
    var lane: Lane? { if case .run(_, let lane) = self { lane } else { nil } }
    var isUnknown: Bool { if case .unknown = self { true } else { false } }
}

@Suite struct PolicyTests {
    @Test func `with descriptors, enter and run talk to their client`() {
        var form = Forms.stream
        #expect(judge("run app bash", form).lane == .queue)
        #expect(judge("enter app", form).code == .notSupported)
        form.hasDescriptors = true
        for line in ["enter app", "enter app web ls", "run app bash", "--rm run app", "--app app enter"] {
            #expect(judge(line, form).lane == .talk, "\(line)")
        }
        for line in ["apps:list", "run:list app", "run:detached app x", "ps:rebuild app"] {
            #expect(judge(line, form).lane == .queue, "\(line)")
        }
        #expect(judge("logs app -t", form).lane == .follow)
        #expect(judge("shell", form).code == .notSupported)
        #expect(judge("run app bash", form, on: .readOnly).code == .denied)
    }

    @Test func `a command runs with its words untouched`() throws {
        let words: ArgumentList = ["--quiet", "apps:create", "a b", ""]
        #expect(judge(words) == .run(try #require(Invocation(words)), .queue))
    }

    @Test(arguments: [
        "apps:../../../../bin/echo x", "apps:.ist", "/bin/sh", "apps/list", "git-upload-pack x", "git-hook",
        "git-new x",
        "git-upload-pack:help", "..:help x", ":help", "apps:", "--force", "--app", "-x apps:list",
        "--app=x apps:list",
        "daemon:nothing", "daemon:", "daemon:x:help", "'apps:list'", "apps:list;id", "é",
        "--version apps:destroy x --force", "--version --app apps:destroy x --force", "-v x",
        "--app --force apps:list apps:destroy x", "--x:help apps:list",
    ])
    func `words that are never a command are refused`(line: String) {
        for catalogue in [Forms.catalogue, nil] {
            #expect(judge(line, with: catalogue) == .refuse(.invalidCommand))
            #expect(judge(line, on: .readOnly, with: catalogue) == .refuse(.invalidCommand))
        }
    }

    @Test(arguments: [
        "", "apps:list\u{0}", "apps:list\n", " apps:list", "apps:list ", "x\n:help", "\u{0}",
        "apps:list\u{301}",
    ])
    func `a name is one word of name characters`(name: String) {
        #expect(judge([name]) == .refuse(.invalidCommand))
    }

    @Test func `an empty line is no command`() {
        #expect(judge([] as ArgumentList) == .refuse(.invalidCommand))
        var words = ArgumentList()
        words.append([0xff, 0xfe])
        words.endWord()
        #expect(judge(words) == .refuse(.invalidCommand))
    }

    @Test(arguments: [
        "app", "s:list", "APPS:LIST", "apps:lis", "mysql:list x", "nginx-vhosts:stop", "foo:destroy x",
    ])
    func `a name that the catalogue lacks is unknown`(line: String) {
        #expect(judge(line).isUnknown)
        #expect(judge(line, with: nil).isUnknown)
    }

    @Test func `without a catalogue only what needs none is decided`() {
        #expect(judge("apps:list", with: nil).isUnknown)
        #expect(judge("help", with: nil).isUnknown)
        #expect(judge("daemon:version", with: nil) == .builtin(.version(.text)))
        #expect(judge("refresh", with: nil) == .builtin(.refresh))
        #expect(judge("shell", with: nil) == .refuse(.notImplemented))
        #expect(judge("apps:destroy x", with: nil) == .refuse(.requiresForce))
    }

    @Test func `a listed command that this dokku lacks is unknown`() {
        #expect(judge("apps:list", with: Catalogue(listed: ["apps:create"])).isUnknown)
    }

    @Test(arguments: [
        "help", "help --all", "--version", "-v", "apps:help", "apps:create:help x", "nope:help", "k3s:help",
    ])
    func `help and version commands run`(line: String) {
        #expect(judge(line).lane == .queue)
    }

    @Test(arguments: ["shell", "shell x", "--quiet shell", "enter", "enter app", "enter app web ls"])
    func `plain lines get fixed answers`(line: String) {
        #expect(judge(line) == .refuse(Refusal(code: .notSupported, text: "Not implemented")))
    }

    @Test func `enter needs a command because there is no terminal`() {
        for line in [
            "enter app web ls", "enter app web ls -la", "--app app enter web ls",
            "enter app --container-id 1 ls",
        ] {
            #expect(judge(line, Forms.json).lane == .queue, "\(line)")
            #expect(judge(line, Forms.stream).lane == .queue, "\(line)")
        }
        for line in [
            "enter", "enter app", "enter app web", "--app app enter web", "enter app --container-id 1",
            "--app app enter",
        ] {
            #expect(judge(line, Forms.json).code == .notSupported, "\(line)")
        }
        #expect(judge("shell ls x y", Forms.stream) == .refuse(.notImplemented))
        #expect(judge("enter:help").lane == .queue)
        #expect(judge("shell:help").lane == .queue)
    }

    @Test(arguments: [
        "apps:destroy x", "apps:destroy", "network:destroy x", "storage:destroy x", "postgres:destroy x",
        "--app x apps:destroy", "apps:destroy x -f", "apps:destroy x --forced", "apps:destroy x --force=true",
    ])
    func `a command that destroys needs force`(line: String) {
        for form in [Forms.plain, Forms.json, Forms.stream, Forms.input] {
            #expect(
                judge(line, form) == .refuse(Refusal(code: .requiresForce, text: "Requires --force flag")))
        }
    }

    @Test(arguments: [
        "apps:destroy x --force", "--force apps:destroy x", "apps:destroy --force x",
        "--app x --force apps:destroy y",
        "postgres:destroy x -f", "postgres:destroy x --force", "network:destroy x --force",
        "apps:destroy:help",
    ])
    func `force may stand anywhere`(line: String) {
        #expect(judge(line).lane == .queue)
    }

    @Test(arguments: ["config:import x", "postgres:import x", "certs:generate x y", "--app x config:import"])
    func `a command that takes an empty input for an order needs an input`(line: String) {
        #expect(judge(line).code == .requiresStdin)
        #expect(judge(line, Forms.stream).code == .requiresStdin)
        #expect(judge(line, Forms.toFile).code == .requiresStdin)
        #expect(judge(line, Forms.input).lane == .queue)
        #expect(judge(line, Forms.fromFile).lane == .queue)
    }

    @Test(arguments: [
        "config:import x", "config:import x -", "config:import - -", "config:import --global",
        "config:import --global -", "config:import - --global", "config:import --format json x",
        "config:import x --format /root/env", "config:import --no-restart x", "--app x config:import",
        "--app x config:import -", "config:import --app x", "config:import x -- -",
        "config:import --global=false x",
        "config:import --replace --format=json x -", "config:import",
    ])
    func `an import without a file needs an input`(line: String) {
        #expect(judge(line).code == .requiresStdin)
        #expect(judge(line, Forms.input).lane == .queue)
    }

    @Test(arguments: [
        "config:import x /root/env", "config:import --global /root/env", "config:import /root/env --global",
        "config:import --format json x /root/env.json", "config:import x --replace env",
        "--app x config:import env",
        "config:import x --format=json /root/env.json", "config:import --no-restart x env",
    ])
    func `an import from a file needs no input`(line: String) {
        #expect(judge(line).lane == .queue)
        #expect(judge(line, Forms.stream).lane == .queue)
    }

    @Test func `an empty file name is no file`() {
        #expect(judge(["config:import", "x", ""]).code == .requiresStdin)
        #expect(judge(["postgres:import", "x", "/root/dump"]).code == .requiresStdin)
    }

    @Test(arguments: [
        "git:auth h u", "ssh-keys:add n", "certs:add x a.crt a.key", "run x ls", "git:load-image x",
        "postgres:export x",
    ])
    func `other commands run without input`(line: String) {
        #expect(judge(line).lane == .queue)
    }

    @Test(arguments: [
        "logs x -t", "logs -t x", "logs x --tail", "logs x -qt", "--app x logs -t", "events -t",
        "nginx:access-logs x -t",
        "nginx:error-logs x -t", "run:logs x --tail", "logs:vector-logs --tail", "caddy:logs -t",
        "postgres:logs x -t", "postgres:logs x --tail",
    ])
    func `an endless command runs only streamed`(line: String) throws {
        for form in [Forms.plain, Forms.json, Forms.input] {
            guard case .refuse(let refusal) = judge(line, form) else {
                Issue.record("\(line) was not refused")
                continue
            }
            #expect(refusal.code == .notSupported)
            #expect(refusal.text.contains("\"stream\":true"))
        }
        #expect(judge(line, Forms.stream).lane == .follow)
    }

    @Test(arguments: [
        "logs x", "logs x -n 5", "events", "postgres:logs x", "caddy:logs", "logs:failed x", "cron:run x y",
    ])
    func `a command that ends runs in the queue`(line: String) {
        for form in [Forms.plain, Forms.json, Forms.stream] { #expect(judge(line, form).lane == .queue) }
    }

    /// The queue may be held by the very build. A plain answer ends with it, too.
    @Test(arguments: [
        "builds:output x", "builds:output x y", "--app x builds:output", "builds:output x current",
    ])
    func `a build's output is shown beside the queue`(line: String) {
        #expect(judge(line).lane == .beside)
        #expect(judge(line, Forms.json).lane == .beside)
        #expect(judge(line, Forms.stream).lane == .follow)
    }

    @Test func `a build is cancelled beside the queue`() {
        #expect(judge("builds:cancel x").lane == .cancel)
        #expect(judge("--quiet builds:cancel x", Forms.stream).lane == .cancel)
    }

    @Test(arguments: CommandTable.traits.keys.sorted())
    func `every command of the table is decided`(name: String) throws {
        let traits = try #require(CommandTable.traits[name])
        let verdict = judge([name])
        if traits.endless == .internalCommand {
            #expect(verdict.code == (name == "shell" ? .notSupported : .invalidCommand))
        } else if traits.confirms {
            #expect(verdict.code == .requiresForce)
        } else if name == "enter" {
            #expect(verdict.code == .notSupported)
        } else if name == "config:import" || name == "certs:generate" {
            #expect(verdict.code == .requiresStdin)
        } else {
            let lanes: [String: Lane] = ["builds:cancel": .cancel, "builds:output": .beside]
            #expect(verdict.lane == lanes[name, default: .queue])
        }
    }

    @Test func `an alias follows the rules of its target`() {
        #expect(judge("k3s:cluster:list").lane == .queue)
        #expect(judge("docker-local:report x").lane == .queue)
        #expect(judge("k3s:nothing").isUnknown)
    }

    @Test func `a one-shot socket answers in dokku's words`() throws {
        let refusal = Refusal.unknownCommand("nope", on: ListenerRules([.oneShot, .rawWords]))
        #expect(refusal.code == .invalidCommand)
        #expect(refusal.text.hasPrefix(" !     `nope` is not a dokku command."))
        #expect(Refusal.unknownCommand("nope", on: ListenerRules(.rawWords)) == .invalidCommand)
        #expect(
            judge("apps:../x", on: .oneShot)
                == .refuse(.unknownCommand("apps:../x", on: ListenerRules(.oneShot))))
        #expect(judge("nope", on: .oneShot).isUnknown)
        #expect(judge("nope", on: [.oneShot, .readOnly]) == .refuse(refusal))
        #expect(
            !Refusal.unknownCommand("KEY=secret\n\u{1b}[2J", on: ListenerRules(.oneShot)).text.contains(
                "secret"))
    }
}

// What a log may show. Each test tries to get a secret, or a control character, into it.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct RedactionTests {
    private func describe(_ words: ArgumentList) -> String { Redaction.describe(words, isUnderstood: true) }
    private func describe(line: String) -> String { describe(ArgumentList(CommandFacts.words(line))) }

    @Test(arguments: [
        ("apps:create python-app", "apps:create python-app"), ("logs app -p web", "logs app -p web"),
        ("config:set app KEY=value", "config:set app KEY=***"),
        ("config:set app A=1=2 B=", "config:set app A=*** B=***"),
        ("config:unset app KEY", "config:unset app KEY"),
        ("--quiet --app x ps:scale web=2", "--quiet --app x ps:scale web=***"),
        ("domains:add app a.example.com", "domains:add app a.example.com"),
        ("daemon:cancel 12", "daemon:cancel 12"),
        ("refresh", "refresh"),
    ])
    func `words that are no secret stay`(line: String, description: String) {
        #expect(describe(line: line) == description)
    }

    @Test(arguments: [
        ("registry:login docker.io user SECRET", "registry:login docker.io ***"),
        ("registry:login --password-stdin docker.io SECRET", "registry:login --password-stdin ***"),
        ("--quiet --app x git:auth github.com user SECRET", "--quiet --app x git:auth ***"),
        ("git:auth-status github.com user SECRET", "git:auth-status github.com ***"),
        ("run app mysql -pSECRET", "run app ***"), ("run:detached app x SECRET", "run:detached app ***"),
        ("enter app web SECRET", "enter app ***"), ("storage:exec x SECRET", "storage:exec x ***"),
        ("cron:run app SECRET", "cron:run app ***"), ("plugin:trigger x SECRET", "plugin:trigger x ***"),
        ("k3s:autoscaling-auth:set app SECRET", "k3s:autoscaling-auth:set app ***"),
        ("postgres:create db --password SECRET", "postgres:create db ***"),
        ("http-auth:on app SECRET", "http-auth:on app ***"),
        ("redis:list", "redis:list"), ("registry:login", "registry:login"),
        ("registry:login -pSECRET docker.io", "registry:login *** ***"),
        ("--app x run SECRET", "--app x run ***"),
        ("traefik:labels:add app SECRET u:SECRET", "traefik:labels:add app ***"),
        ("k3s:labels:set --global SECRET SECRET", "k3s:labels:set --global ***"),
        ("cron:suspend app SECRET", "cron:suspend app ***"),
        ("docker-options:add app deploy --password SECRET", "docker-options:add app ***"),
    ])
    func `takers of secrets and plugins keep their first argument`(line: String, description: String) {
        #expect(describe(line: line) == description)
    }

    @Test(arguments: [
        ("traefik:set --global SECRET-free SECRET", "traefik:set --global SECRET-free ***"),
        ("apps:set app deploy-source-metadata SECRET", "apps:set app deploy-source-metadata ***"),
        ("ps:set app start-cmd run SECRET", "ps:set app start-cmd ***"),
        ("--app x logs:set vector-sink SECRET", "--app x logs:set vector-sink ***"),
        ("logs:set vector-sink SECRET", "logs:set vector-sink ***"),
    ])
    func `the value of a setting is hidden`(line: String, description: String) {
        #expect(describe(line: line) == description)
    }

    @Test(arguments: [
        "config:set app KEY SECRET=", "config:set app KEY SECRET==", "config:set app SECRET==",
        "config:set app Secret=",
        "config:set app SEC/RET=", "config:set app KEY=x SECRET=y z",
        "config:set app KEY SECRET", "config:set --no-restart app KEY SECRET",
        "config:set --encoded app SECRET",
        "--app x config:set KEY SECRET", "config:set app K=SECRET=SECRET", "config:set app -----SECRET",
        "traefik:set --global basic-auth-password SECRET", "traefik:set --global dns-provider-CF SECRET",
        "scheduler-k3s:set --global token SECRET", "scheduler-k3s:charts:set x.adminPassword SECRET",
        "scheduler-k3s:initialize --TOKEN SECRET", "logs:set app vector-sink datadog://?api_key=SECRET",
        "git:sync app https://user:SECRET@example.com/x.git", "git:sync app https://SECRET@example.com/x.git",
        "git:sync app https://u:SEC=RET@example.com", "git:sync app https://u:SEC/SECRET@example.com",
        "git:sync app https://u:SEC@SECRET@example.com", "git:sync app user:SECRET@example.com:x.git",
        "git:from-archive app https://example.com/a.tar?sig=SECRET", "--app=SECRET apps:list",
        "--app K=SECRET apps:list",
        "plugin:install https://u:SECRET@example.com", "scheduler-k3s:cluster:add ssh://u:SECRET@host:22",
        "--app a config:set SECRET", "config:set --global SECRET", "config:set SECRET --global K=SECRET",
        "config:set app DATABASE_URL=postgres://u:SECRET@SECRET/db", "config:set app KEY=u:p@SECRET",
        "git:from-archive app https://example.com/a.tar?SECRET", "git:sync app https://h/x?t=SEC@SECRET",
        "git:sync app u:SEC=SECRET@example.com", "git:sync app KEY=https://SECRET:p@example.com",
        "git:sync app https://SECRET/x:y@SECRET", "traefik:set basic-auth-password SECRET SECRET",
        "caddy:labels:add app x SECRET", "haproxy:labels:add app x SECRET",
        "openresty:labels:add app x SECRET",
        "scheduler-k3s:annotations:set --process-type web app x SECRET", "storage:labels:set vol x SECRET",
        "docker-options:add app deploy --env=SECRET", "help x=SECRET", "resource:limit --secret SECRET",
    ])
    func `no secret is shown`(line: String) {
        for secret in ["SECRET", "Secret", "SEC=", "SEC/", "SEC@"] {
            #expect(!describe(line: line).contains(secret), "\(line)")
        }
        #expect(describe(line: line).contains("***"))
    }

    @Test func `the user and password of a URL are hidden`() {
        #expect(
            describe(line: "git:sync app https://u:p@example.com/x.git main")
                == "git:sync app https://***@example.com/x.git main")
        #expect(
            describe(["docker-options:add", "app", "deploy", "-e KEY=SECRET more"])
                == "docker-options:add app ***")
        #expect(
            describe(["config:set", "app", "URL=postgres://u:p@h/db", "K=V"])
                == "config:set app URL=*** K=***")
        #expect(describe(line: "git:sync app git@example.com:x.git") == "git:sync app git@example.com:x.git")
        #expect(
            describe(["git:from-image", "app", "example.com/x@sha256:ab"])
                == "git:from-image app example.com/x@sha256:ab")
    }

    @Test func `a flag and its value in one word are hidden`() {
        #expect(
            describe(["apps:create", "app", "--password SECRET", "x"]) == "apps:create app *** ***")
        #expect(
            describe(["certs:add", "app", "-----BEGIN RSA PRIVATE KEY-----\nSECRET"]) == "certs:add app ***")
        #expect(describe(["apps:create", "app", "two words"]) == "apps:create app \"two words\"")
    }

    /// It may be a password alone. What is a name of dokku's, or begins with one, was meant as a command.
    @Test(arguments: [
        ("SECRET", "***"), ("SECRET x", "***"), ("--quiet SECRET x", "***"), ("KEY=SECRET", "***"),
        ("--app SECRET SECRET", "***"), ("config:st app KEY SECRET", "config:***"),
        ("config:SECRET", "config:***"),
        ("user:SECRET", "***"), ("--quiet k3s:SECRET", "k3s:***"), ("apps:create app", "apps:create"),
        ("nixpacks:report SECRET", "nixpacks:report"), ("SECRET:help", "***"), (":SECRET", "***"),
    ])
    func `a line that was not understood keeps a dokku name`(line: String, description: String) {
        #expect(
            Redaction.describe(ArgumentList(CommandFacts.words(line)), isUnderstood: false) == description)
    }

    @Test func `a name that nobody knows has a colon`() {
        #expect(describe(line: "SECRET app") == "*** app")
        #expect(describe(line: "postgres:list app") == "postgres:list app")
        #expect(describe(["--app", "--force", "SECRET"]) == "***")
        #expect(describe([]) == "")
        #expect(describe([""]) == "***")
    }

    /// A command that refuses its arguments repeats them.
    @Test func `a command with hidden words keeps its output out of the log`() throws {
        func mayLog(_ words: [String]) throws -> Bool {
            Redaction.mayLogOutput(of: try #require(Invocation(ArgumentList(words))))
        }
        #expect(try mayLog(["apps:create", "app"]))
        #expect(try !mayLog(["apps:create", "app", "K=SECRET"]))
        // The title is cut long before it.
        #expect(try !mayLog(["apps:create"] + Array(repeating: "word", count: 1000) + ["K=SECRET"]))
        #expect(try !mayLog(["apps:create", String(repeating: "x", count: 300) + "=SECRET"]))
        #expect(try !mayLog(["apps:create", "app", "--password SECRET"]))
        #expect(try !mayLog(["domains:add", "app", "--token", "SECRET"]))
        #expect(try mayLog(["apps:create"] + Array(repeating: "word", count: 1000)))
    }

    /// What was meant as the value may stand behind a blank, and end as a base32 text does.
    @Test(arguments: ["ABCDEFGH2345====", "ABCDEFGH2345=", "ABCDEFGH2345===", "A=B"])
    func `a value behind its pair is hidden`(value: String) {
        #expect(describe(["config:set", "app", "KEY=", value]) == "config:set app *** ***")
    }

    @Test func `the padding of base32 makes no pair`() {
        #expect(describe(["config:set", "app", "ABCDEFGH2345===="]) == "config:set app ***")
        #expect(describe(["config:set", "app", "KEY="]) == "config:set app KEY=***")
    }

    @Test func `words stay apart`() {
        #expect(describe(["apps:create", "a b", "", "c\"d"]) == "apps:create \"a b\" \"\" \"c\\\"d\"")
    }

    @Test func `no control character passes`() {
        let hostile = "a\nb\r\u{1b}[31m\u{0}\u{7f}\u{85}\u{9b}\u{202e}\u{2028}\t\\é"
        let expected = "a\\nb\\r\\u{1b}[31m\\u{0}\\u{7f}\\u{85}\\u{9b}\\u{202e}\\u{2028}\\t\\\\é"
        #expect(Redaction.sanitize(hostile, limit: 200) == expected)
        #expect(describe(["apps:create", hostile]) == "apps:create " + expected)
        for byte in UInt8.min...UInt8.max {
            let text = Redaction.sanitize([byte, 0x61], limit: 40)
            #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control })
            #expect(text.hasSuffix("a"))
        }
    }

    @Test func `bytes that are no text are replaced`() {
        #expect(Redaction.sanitize([0x61, 0xff, 0xe2, 0x82, 0x62], limit: 40) == "a\u{fffd}\u{fffd}b")
    }

    @Test(arguments: [3, 4, 5, 6, 7, 8, 64])
    func `a limit holds and cuts no character`(limit: Int) {
        for unit in ["a", "é", "€", "😀", "\n", "\\", "\u{202e}"] {
            for count in 0...40 {
                let text = Redaction.sanitize(String(repeating: unit, count: count), limit: limit)
                #expect(text.utf8.count <= limit)
                #expect(!text.contains("\u{fffd}"))
            }
        }
        #expect(Redaction.sanitize(String(repeating: "a", count: limit), limit: limit).utf8.count == limit)
        #expect(Redaction.sanitize(String(repeating: "a", count: limit + 1), limit: limit).hasSuffix("…"))
    }

    @Test func `huge lines stay short`() {
        let huge = String(repeating: "x", count: 1 << 20)
        #expect(describe(["apps:create", huge]).utf8.count < 300)
        #expect(describe(["config:set", "app", huge + "=SECRET"]).utf8.count < 300)
        #expect(!describe(["git:sync", "app", "https://" + huge + ":SECRET@host"]).contains("xxx"))
        #expect(describe(["git:sync", "app", huge + "://u:SECRET@host"]) == "git:sync app ***")
        let many = ArgumentList(Array(repeating: "word", count: 100_000))
        let line = describe(["apps:create"] + many)
        #expect(line.utf8.count < 1100)
        #expect(line.hasSuffix(" …"))
    }

    @Test(arguments: [
        "apps:list", "apps:create", "apps:destroy", "domains:add", "apps:help", "ps:scale",
        "docker-local:report",
    ])
    func `output known to be harmless is logged`(name: String) {
        #expect(Redaction.mayLogOutput(of: Invocation.sample(name)))
    }

    @Test(
        arguments: CommandFacts.secret + [
            "postgres:info", "postgres:create", "nope", "k3s:preview", "k3s:show-kubeconfig", "",
        ])
    func `other output is not logged`(name: String) {
        #expect(!Redaction.mayLogOutput(of: Invocation.sample(name)))
    }

    @Test(arguments: [
        ("+ set", true), ("a\n++ echo SECRET\nb", true), ("a\n+++", true), ("a + b\n c+ d\n+x\n", false),
        ("", false),
        ("+1\n++2", false),
    ])
    func `a shell's trace is recognised`(output: String, isTrace: Bool) {
        #expect(Redaction.isTrace(Array(output.utf8)) == isTrace)
    }

    @Test func `traces are not logged`() throws {
        #expect(Redaction.mayLogOutput(of: try #require(Invocation(["apps:list"]))))
        #expect(!Redaction.mayLogOutput(of: try #require(Invocation(["apps:list", "--trace"]))))
    }
}

extension Invocation {
    fileprivate static func sample(_ name: String) -> Invocation {
        guard let invocation = Invocation([name], nameIndex: 0) else { preconditionFailure("no name") }
        return invocation
    }
}

private func + (left: ArgumentList, right: ArgumentList) -> ArgumentList {
    var words = left
    for index in 0..<right.count {
        words.append(right[index])
        words.endWord()
    }
    return words
}

// What the rules `name=` and `allow=` let through, in every form of a request.
import DokkuProtocol
import Testing

@testable import DokkuDaemon

@Suite struct PermissionTests {
    private func verdict(
        _ words: ArgumentList, _ rules: ListenerRules, list: String? = nil
    ) throws -> Verdict { try verdict(words, Forms.json, rules, list: list) }

    private func verdict(
        _ words: ArgumentList, _ form: RequestForm, _ rules: ListenerRules, list: String? = nil
    ) throws -> Verdict {
        let list = try list.map { try AllowList(parsing: $0.utf8) }
        return Policy.judge(
            words, form: form, permission: Permission(rules, list: list), catalogue: Forms.catalogue)
    }

    private let ci = ListenerRules(user: "ci")
    private let listed = ListenerRules(list: "blog")

    @Test(arguments: [
        "plugin:install", "plugin:uninstall", "plugin:anything", "ssh-keys:add", "ssh-keys:remove",
        "scheduler-k3s:initialize", "scheduler-k3s:uninstall",
    ])
    func `what needs root is denied by name`(name: String) throws {
        for words: ArgumentList in [[name, "x"], ["--quiet", name, "x"], ["--app", "a", name]] {
            #expect(try verdict(words, ci) == .refuse(.needsRoot))
        }
        #expect(try !verdict([name, "x"], ListenerRules()).isRefused(.needsRoot))
    }

    @Test func `what dokku lets everybody do runs`() throws {
        for words: ArgumentList in [
            ["plugin:list"], ["apps:list"], ["ps:restart", "x"], ["--quiet", "apps:list"],
        ] {
            #expect(try verdict(words, ci).lane != nil, "\(words)")
        }
    }

    /// dokku's plugins look at the word after the name, and dokku would act on the app of the flag.
    @Test func `an app named by a flag is denied`() throws {
        for words: ArgumentList in [
            ["ps:restart", "mine", "--app", "other"], ["ps:restart", "--app", "other", "mine"],
            ["--app", "other", "ps:restart", "mine"], ["--quiet", "--app", "other", "ps:restart", "mine"],
            ["--app", "mine", "ps:restart"], ["daemon:submit", "--app", "other", "ps:restart", "mine"],
            ["ps:restart", "mine", "--app"],
        ] {
            #expect(try verdict(words, ci) == .refuse(.appFlag), "\(words)")
            #expect(try verdict(words, ListenerRules()) != .refuse(.appFlag))
        }
        let both = ListenerRules(user: "ci", list: "blog")
        let words: ArgumentList = ["--app", "other", "ps:restart", "mine"]
        #expect(try verdict(words, both, list: "--app other ps:restart mine") == .refuse(.appFlag))
    }

    @Test func `what tells nothing takes no input`() throws {
        var form = Forms.json
        form.hasInput = true
        for words: ArgumentList in [["daemon:version"], ["daemon:help"]] {
            #expect(try verdict(words, form, listed, list: "") == .refuse(.notListed))
        }
    }

    @Test func `the daemon opens no file`() throws {
        var form = Forms.plain
        form.isRedirected = true
        for rules in [ci, listed, ListenerRules(.oneShot, user: "ci", list: "blog")] {
            #expect(try verdict(["apps:list"], form, rules, list: "apps:list <") == .refuse(.noFiles))
            form.hasInput = true
            #expect(try verdict(["daemon:version"], form, rules, list: "") == .refuse(.noFiles))
            form.hasInput = false
        }
    }

    @Test func `what no line allows is denied, whatever it is`() throws {
        for words: ArgumentList in [
            [], [""], ["--app"], ["ps:stop", "blog"], ["nonsense"], ["/bin/sh"], ["commands"],
            ["daemon:queue"],
            ["daemon:cancel", "1"], ["daemon:submit", "ps:restart", "blog"], ["daemon:events"],
            ["daemon:nothing"],
            ["refresh"], ["help"], ["version"], ["--version"], ["daemon:Version"],
        ] {
            #expect(try verdict(words, listed, list: "ps:restart blog") == .refuse(.notListed), "\(words)")
        }
        #expect(try verdict(["ps:restart", "blog"], listed) == .refuse(.notListed), "the list is missing")
        #expect(try verdict(["ps:restart", "blog"], listed, list: "ps:restart blog").lane == .queue)
    }

    @Test func `what tells nothing needs no line`() throws {
        for words: ArgumentList in [
            ["daemon:version"], ["daemon:help"], ["daemon:version", "--format", "json"],
        ] {
            guard case .builtin = try verdict(words, listed, list: "") else {
                Issue.record("\(words)")
                continue
            }
        }
    }

    @Test func `the daemon's own commands can be listed`() throws {
        guard
            case .builtin(.cancel(job: 3)) = try verdict(
                ["daemon:cancel", "3"], listed, list: "daemon:cancel *")
        else {
            Issue.record("refused")
            return
        }
    }

    @Test func `to detach needs a line, and the command one of its own`() throws {
        var form = Forms.json
        form.isDetached = true
        let words: ArgumentList = ["ps:restart", "blog"]
        #expect(try verdict(words, form, listed, list: "ps:restart blog") == .refuse(.notListed))
        #expect(try verdict(words, form, listed, list: "daemon:submit ...") == .refuse(.notListed))
        #expect(
            try verdict(words, form, listed, list: "ps:restart blog\ndaemon:submit ps:stop *")
                == .refuse(.notListed))
        #expect(try verdict(words, form, listed, list: "ps:restart blog\ndaemon:submit ...").lane == .queue)
        #expect(
            try verdict(words, form, listed, list: "ps:restart *\ndaemon:submit ps:restart *").lane == .queue)
    }

    @Test func `all rules must agree`() throws {
        let all = ListenerRules(.readOnly, user: "ci", list: "blog")
        let list = "ps:restart blog\nplugin:install x\nps:report *\nplugin:list"
        #expect(try verdict(["ps:restart", "blog"], all, list: list) == .refuse(.readOnlySocket))
        #expect(try verdict(["plugin:install", "x"], all, list: list) == .refuse(.needsRoot))
        #expect(try verdict(["apps:list"], all, list: list) == .refuse(.notListed))
        #expect(try verdict(["ps:report", "a", "--running"], all, list: list) == .refuse(.notListed))
        #expect(try verdict(["plugin:list"], all, list: list).lane == .queue)
    }

    @Test func `the names that may run are known`() throws {
        let list = try AllowList(parsing: "ps:restart blog\nplugin:install x".utf8)
        let both = Permission(ListenerRules(user: "ci", list: "blog"), list: list)
        let names = ["ps:restart", "plugin:install", "ps:stop", "ssh-keys:add"]
        #expect(names.filter(both.mayRun) == ["ps:restart"])
        #expect(names.filter(Permission(ci).mayRun) == ["ps:restart", "ps:stop"])
        #expect(names.filter(Permission(listed, list: list).mayRun) == ["ps:restart", "plugin:install"])
        #expect(names.filter(Permission(ListenerRules()).mayRun) == names)
        #expect(names.filter(Permission(listed).mayRun).isEmpty)
    }
}

extension Verdict {
    fileprivate func isRefused(_ refusal: Refusal) -> Bool { self == .refuse(refusal) }
}

// What a read-only socket lets through, and every way around it that we could think of.
import Testing

@testable import DokkuDaemon

@Suite struct ReadOnlyTests {
    private func judgeHere(_ line: String, _ form: RequestForm = Forms.json) -> Verdict {
        judge(line, form, on: .readOnly)
    }

    @Test(arguments: CommandTable.traits.keys.sorted())
    func onlyTheHarmlessOfTheTableRun(name: String) throws {
        let verdict = judgeHere(name, Forms.stream)
        if CommandFacts.harmless.contains(name) || name.hasSuffix(":help") {
            #expect(verdict.lane == (name == "builds:output" ? .follow : .queue))
        } else if CommandFacts.internalNames.contains(name), name != "shell" {
            #expect(verdict.code == .invalidCommand)
        } else {
            #expect(verdict.code == .denied)
        }
    }

    @Test(arguments: CommandTable.traits.keys.filter { !CommandFacts.harmless.contains($0) }.sorted())
    func noFormOfTheOthersRuns(name: String) {
        guard !name.hasSuffix(":help") else { return }
        for form in [Forms.plain, Forms.json, Forms.stream, Forms.input, Forms.fromFile, Forms.toFile] {
            for line in ["\(name) x --force", "--force \(name) x", "--app x --quiet \(name)"] {
                #expect(judgeHere(line, form).code != nil, "\(line)")
            }
        }
    }

    @Test func anAliasIsAsGoodAsItsTarget() {
        #expect(judgeHere("docker-local:report x").lane == .queue)
        #expect(judgeHere("k3s:cluster:list").lane == .queue)
        #expect(judgeHere("k3s:show-kubeconfig").code == .denied)
        #expect(judgeHere("k3s:cluster:add x").code == .denied)
        #expect(judgeHere("dockerfile:set x y z").code == .denied)
    }

    @Test(arguments: ["postgres:list", "postgres:create x", "postgres:logs x"])
    func aPluginsCommandIsDenied(line: String) {
        #expect(judgeHere(line) == .refuse(.readOnlySocket))
        #expect(judge(line, on: .readOnly, with: nil) == .refuse(.readOnlySocket))
    }

    @Test(arguments: ["nginx-vhosts:stop", "20_events:on", "00_dokku-standard:cleanup", "common:x", "nope"])
    func aPluginsFolderIsNoName(line: String) {
        #expect(judgeHere(line) == .refuse(.invalidCommand))
    }

    @Test(arguments: [
        "--trace apps:list", "apps:list --trace", "--quiet --trace apps:report x", "apps:help --trace",
        "--trace help",
        "apps:exists .ssh", "apps:exists ../x", "--app .ssh apps:report", "apps:report /etc", "logs x/../y",
        "logs x -p $(id)", "logs x -p `id`", "logs x -p a;b", "logs x -p a|b", "logs x -p a&b",
        "logs x -p a>b", "ps:report *",
        "ps:report ?", "ps:report [a]", "ps:report {a,b}", "ps:report ~", "ps:report !x", "ps:report \\x",
        "ps:report 'x'",
        "apps:report --file=/etc/x", "scheduler-k3s:autoscaling-auth:report x --include-metadata",
        "k3s:autoscaling-auth:report --include-metadata=true x", "apps:report é",
    ])
    func wordsThatCouldDoHarmAreDenied(line: String) {
        #expect(judgeHere(line) == .refuse(.readOnlySocket))
    }

    @Test(arguments: ["a b", "a\nb", "", "a\tb", "a\u{0}"])
    func wordsThatAShellWouldSplit(word: String) {
        let isEmpty = word.isEmpty
        #expect((judge(["apps:report", word], Forms.json, on: .readOnly).code == .denied) == !isEmpty)
    }

    @Test(arguments: [
        "--quiet apps:list", "apps:report my-app_1 --format json", "--app x ps:report",
        "logs x -n 5 -p web.1",
        "git:auth-status git.example.com:22", "apps:list --format=json", "storage:list x", "help --all",
        "version",
        "nginx:show-config x",
    ])
    func ordinaryReadingRuns(line: String) {
        #expect(judgeHere(line).lane == .queue)
        #expect(judgeHere(line, Forms.plain).lane == .queue)
    }

    @Test func inputAndRedirectionAreDenied() {
        for form in [Forms.input, Forms.fromFile, Forms.toFile] {
            #expect(judgeHere("apps:list", form) == .refuse(.readOnlySocket))
            #expect(judgeHere("apps:help", form) == .refuse(.readOnlySocket))
            #expect(judgeHere("daemon:version", form) == .refuse(.readOnlySocket))
        }
    }

    @Test func whatNeverEndsRunsStreamedHereToo() {
        #expect(judgeHere("logs x -t", Forms.stream).lane == .follow)
        #expect(judgeHere("logs x -t").code == .notSupported)
    }

    @Test func onlyBuiltinsThatChangeNothingAreAnswered() {
        for line in ["commands", "daemon:version", "daemon:status", "daemon:queue", "daemon:help"] {
            guard case .builtin = judgeHere(line) else {
                Issue.record("\(line) was not answered")
                continue
            }
        }
        for line in ["refresh", "daemon:cancel 1", "--quiet refresh", "--trace daemon:version"] {
            #expect(judgeHere(line) == .refuse(.readOnlySocket))
        }
        #expect(judgeHere("daemon:cancel x").code == .invalidRequest)
    }
}

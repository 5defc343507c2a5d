// What a read-only socket lets through, and every way around it that we could think of.
import Testing

@testable import DokkuDaemon

@Suite struct ReadOnlyTests {
    private func judgeHere(_ line: String, _ form: RequestForm = Forms.json) -> Verdict {
        judge(line, form, on: .readOnly)
    }

    @Test(arguments: CommandTable.traits.keys.sorted())
    func `only the harmless commands of the table run`(name: String) throws {
        let verdict = judgeHere(name, Forms.stream)
        if CommandFacts.needFlag.contains(name) {
            #expect(verdict.code == .denied)
        } else if CommandFacts.harmless.contains(name) || name.hasSuffix(":help") {
            #expect(verdict.lane == .queue)
        } else if CommandFacts.internalNames.contains(name), name != "shell" {
            #expect(verdict.code == .invalidCommand)
        } else {
            #expect(verdict.code == .denied)
        }
    }

    @Test(arguments: CommandTable.traits.keys.filter { !CommandFacts.harmless.contains($0) }.sorted())
    func `no form of the other commands runs`(name: String) {
        guard !name.hasSuffix(":help") else { return }
        for form in [Forms.plain, Forms.json, Forms.stream, Forms.input, Forms.fromFile, Forms.toFile] {
            for line in ["\(name) x --force", "--force \(name) x", "--app x --quiet \(name)"] {
                #expect(judgeHere(line, form).code != nil, "\(line)")
            }
        }
    }

    @Test func `an alias is as good as its target`() {
        #expect(judgeHere("docker-local:report x").lane == .queue)
        #expect(judgeHere("k3s:cluster:list").lane == .queue)
        #expect(judgeHere("nixpacks:report x --builder-nixpacks-nixpackstoml-path").lane == .queue)
        #expect(judgeHere("k3s:report --global --scheduler-k3s-global-namespace").lane == .queue)
        #expect(judgeHere("k3s:report --global --scheduler-k3s-global-token").code == .denied)
        #expect(judgeHere("k3s:report --global --format json").code == .denied)
        #expect(judgeHere("k3s:autoscaling-auth:report x --format json").code == .denied)
        #expect(judgeHere("k3s:show-kubeconfig").code == .denied)
        #expect(judgeHere("k3s:cluster:add x").code == .denied)
        #expect(judgeHere("dockerfile:set x y z").code == .denied)
    }

    @Test(arguments: ["postgres:list", "postgres:create x", "postgres:logs x"])
    func `a plugin's command is denied`(line: String) {
        #expect(judgeHere(line) == .refuse(.readOnlySocket))
        #expect(judge(line, on: .readOnly, with: nil) == .refuse(.readOnlySocket))
    }

    @Test(arguments: ["nginx-vhosts:stop", "20_events:on", "00_dokku-standard:cleanup", "common:x", "nope"])
    func `a plugin's folder is no name`(line: String) {
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
    func `words that could do harm are denied`(line: String) {
        #expect(judgeHere(line) == .refuse(.readOnlySocket))
    }

    /// Each was seen to print a secret, or to change an app, with a real dokku or by its source.
    @Test(arguments: [
        "scheduler-k3s:report --global --format json", "scheduler-k3s:report --global",
        "scheduler-k3s:report --global --scheduler-k3s-global-token", "scheduler-k3s:report x",
        "scheduler-k3s:autoscaling-auth:report x --format json", "scheduler-k3s:preview x --show-secrets",
        "scheduler-k3s:preview x --show-secrets-decoded", "scheduler-k3s:preview x",
        "scheduler-k3s:charts:report", "scheduler-k3s:labels:report x", "scheduler-k3s:annotations:report x",
        "scheduler-k3s:cluster:list --format json", "scheduler-k3s:profiles:list --format json",
        "logs:report x --format json", "logs:report x --logs-vector-sink", "logs:report x",
        "logs:report --global --logs-global-vector-sink", "logs:report x --logs-computed-vector-sink",
        "apps:report x", "apps:report", "apps:report x --format json",
        "apps:report x --app-deploy-source-metadata",
        "buildpacks:detect x", "buildpacks:detect x --branch=-Bmaster", "buildpacks:detect x --branch=main",
        "buildpacks:list x", "buildpacks:report x", "buildpacks:report x --buildpacks-list",
        "traefik:labels:show x", "caddy:labels:show x", "haproxy:labels:show x", "openresty:labels:show x",
        "traefik:report x", "traefik:report --global --format json",
        "traefik:report --global --traefik-global-basic-auth-password",
        "traefik:report --global --traefik-computed-basic-auth-password",
        "traefik:report --global --traefik-global-dns-provider-cf-api-key",
        "openresty:report x", "openresty:report x --openresty-global-allowed-letsencrypt-domains-func-base64",
        "git:auth-status h u p", "git:auth-status h", "git:status x", "logs x", "logs x -t", "logs:failed x",
        "run:logs x", "run:list x", "cron:list x", "cron:report x", "cron:report x --cron-task-count",
        "events",
        "events -t", "builds:output x", "nginx:access-logs x", "nginx:error-logs x", "nginx:show-config x",
        "ps:report x", "ps:report x --format json", "ps:report x --ps-start-cmd",
        "ps:report x --ps-computed-start-cmd", "ps:report x --ps-dockerfile-start-cmd", "ps:inspect x",
        "plugin:list --format json", "storage:info x --format json", "storage:list-entries --format json",
        "storage:report --global --format json", "storage:labels:report x", "network:info x --format json",
        "network:list --format json", "certs:show x crt", "report", "letsencrypt:list",
    ])
    func `commands that may tell a secret are denied`(line: String) {
        for form in [Forms.plain, Forms.json, Forms.stream] {
            #expect(judge(line, form, on: .readOnly, with: Self.catalogue) == .refuse(.readOnlySocket))
        }
        #expect(judge(line, with: Self.catalogue).code != .denied)
    }

    private static let catalogue = Catalogue(listed: Forms.catalogue.listedNames + ["letsencrypt:list"])

    @Test(arguments: [
        "apps:list --format -x", "apps:list --format=-x", "apps:list -", "apps:list --",
        "apps:list --formatx=json", "apps:list --global", "apps:list --quiet", "apps:list -q", "apps:list -h",
        "nginx:report x --nginx-hstss", "nginx:report x --nginx-global-computed-hsts",
        "nginx:report x --nginx-@hsts", "nginx:report x --nginx-", "ps:report x --status",
        "ps:report x --help",
        "resource:report x --resource", "storage:report x --storage-attachment", "help --all-of-it",
        "apps:help x", "apps:help --format json", "postgres:help x", "--force apps:list", "--rm apps:list",
        "--detach apps:list", "--rm-container apps:list", "--app -x apps:list", "--app a/b apps:list",
    ])
    func `a flag that is not named is denied`(line: String) {
        #expect(judgeHere(line) == .refuse(.readOnlySocket))
    }

    /// Versions of dokku whose reports are shell take the second word for the info flag, and `true` for all of them.
    @Test(arguments: [
        "traefik:report x true --traefik-image", "traefik:report true x --traefik-image",
        "--app x traefik:report true --traefik-image", "traefik:report --traefik-image x true",
        "apps:report x --global", "ps:report --global", "ps:report --global=true", "ps:report x --global=",
    ])
    func `a report with secrets takes one app and a flag`(line: String) {
        #expect(judgeHere(line) == .refuse(.readOnlySocket))
    }

    @Test(arguments: ["a b", "a\nb", "", "a\tb", "a\u{0}"])
    func `words that a shell would split are denied`(word: String) {
        let isEmpty = word.isEmpty
        #expect((judge(["apps:exists", word], Forms.json, on: .readOnly).code == .denied) == !isEmpty)
    }

    @Test(arguments: [
        "--quiet apps:list", "apps:report my-app_1 --app-locked", "--app x ps:report --running",
        "ps:report x --status-web.1", "ps:report --global --ps-global-restart-policy",
        "apps:list --format json",
        "apps:list --format=json", "storage:list x", "help --all", "version",
        "certs:report x --ssl-expires-at",
        "domains:report x --format json", "nginx:report x --nginx-computed-hsts",
        "nginx:report x --nginx-hsts",
        "nginx:report --global --nginx-global-hsts", "nginx:report x", "git:report x --git-sha",
        "builds:list x --kind=build --status failed", "builds:info x abc123 --format json",
        "traefik:report --global --traefik-global-api-vhost", "logs:report x --logs-max-size",
        "resource:report x --resource-web.limit.cpu", "config:keys x --merged", "--quiet --app x config:keys",
        "apps:create:help", "postgres:help", "plugin:list", "network:list --dokku-managed",
        "scheduler-k3s:report x --scheduler-k3s-computed-namespace",
    ])
    func `ordinary reading runs`(line: String) {
        #expect(judgeHere(line).lane == .queue)
        #expect(judgeHere(line, Forms.plain).lane == .queue)
    }

    @Test func `input and redirection are denied`() {
        for form in [Forms.input, Forms.fromFile, Forms.toFile] {
            #expect(judgeHere("apps:list", form) == .refuse(.readOnlySocket))
            #expect(judgeHere("apps:help", form) == .refuse(.readOnlySocket))
            #expect(judgeHere("daemon:version", form) == .refuse(.readOnlySocket))
        }
    }

    @Test func `only built-ins that change nothing are answered`() {
        for line in [
            "commands", "daemon:version", "daemon:status", "daemon:queue", "daemon:help",
            "daemon:version --format json", "daemon:status --format json", "daemon:queue --format=json",
        ] {
            guard case .builtin = judgeHere(line) else {
                Issue.record("\(line) was not answered")
                continue
            }
        }
        #expect(judgeHere("daemon:events", Forms.stream) == .builtin(.events))
        for line in ["refresh", "daemon:cancel 1", "--quiet refresh", "--trace daemon:version"] {
            #expect(judgeHere(line) == .refuse(.readOnlySocket))
        }
        #expect(judgeHere("daemon:cancel x").code == .invalidRequest)
    }
}

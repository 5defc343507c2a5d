// Which lines of a list give more than they seem to. docs/allow-lists.md has dokku's source for each.
import DokkuProtocol

/// What a client that is not trusted could make of a command.
struct Hazard: Equatable, Sendable {
    enum Kind: Character, CaseIterable, Sendable {
        case root = "r"
        case secrets = "s"
        case others = "o"

        var text: String {
            switch self {
            case .root: "may make the client root on this host"
            case .secrets: "may show secrets"
            case .others: "may reach other apps, or the host"
            }
        }
    }

    let kind: Kind
    /// Also if the line leaves no word to the client.
    let isFixed: Bool
    let reason: String

    /// The hazard of a line; nil if none is known. Commands of plugins that are not dokku's own are not known.
    static func of(_ line: AllowLine) -> Hazard? {
        // dokku finds this flag anywhere in the words.
        if line.words.contains(.exactly(Array("--trace".utf8))) { return traced }
        let name = CommandName.target(ofAlias: line.name) ?? line.name
        guard let hazard = table[name], hazard.isFixed || line.isOpen else { return nil }
        return hazard.kind == .secrets && isHarmless(line) ? nil : hazard
    }

    /// Whether a read-only socket would run the line, which shows no secret.
    private static func isHarmless(_ line: AllowLine) -> Bool {
        if line.takesMore || line.takesInput { return false }
        // An app's name in place of a star.
        let words = line.words.map { word in
            switch word {
            case .exactly(let bytes): String(decoding: bytes, as: UTF8.self)
            case .any: "app"
            }
        }
        guard let invocation = Invocation(ArgumentList(words)) else { return false }
        let form = RequestForm(isPlain: false, isStreamed: false, hasInput: false, isRedirected: false)
        return ReadOnly.refusal(of: invocation, form: form) == nil
    }

    private static let traced = Hazard(
        kind: .secrets, isFixed: true, reason: "with --trace it prints all values that dokku reads")

    /// By command.
    static let table = parse(text)

    /// A line is a letter (root, secrets, others), `!` if fixed words make no difference, the reason, and the commands.
    private static let text = """
        r any option of docker: docker-options:add
        r it mounts any folder of the host: storage:create storage:mount
        r it changes owners and modes as root: storage:ensure-directory storage:set
        r it runs any program as root, in a container with shared folders: storage:exec
        r! code of a plugin runs as root and in every later command: plugin:disable plugin:enable plugin:install \
        plugin:install-dependencies plugin:trigger plugin:uninstall plugin:update
        r variables of an app reach dokku's own shell: config:import config:set
        r templates in the sources of an app run programs as user dokku: git:from-archive git:from-image \
        git:load-image git:set git:sync
        r a value becomes part of a configuration or of a shell's line: checks:set nginx:set run:logs \
        scheduler-k3s:annotations:set scheduler-k3s:labels:set
        r a value becomes options of docker: caddy:labels:add haproxy:labels:add network:set openresty:labels:add \
        openresty:set ps:set resource:limit resource:reserve run run:detached traefik:labels:add
        r it chooses an image that gets docker's socket: caddy:set haproxy:set logs:set traefik:set
        r it brings files of the host into an image: builder-dockerfile:set builder-lambda:set \
        builder-nixpacks:set builder-pack:set builder-railpack:set builder:set
        r! it administers the hosts of the cluster: scheduler-k3s:charts:set scheduler-k3s:cluster:add \
        scheduler-k3s:cluster:remove scheduler-k3s:ensure-charts scheduler-k3s:initialize \
        scheduler-k3s:node-sysctls:set scheduler-k3s:profiles:add scheduler-k3s:profiles:remove scheduler-k3s:set \
        scheduler-k3s:show-kubeconfig scheduler-k3s:uninstall
        r! the owner of a key may do everything, unless a plugin forbids it: ssh-keys:add ssh-keys:remove
        s! values of variables: config config:bundle config:export config:get config:show ps:inspect
        s! a private key: certs:show
        s a program gets the variables of an app, and a process type with a blank is one of another app: enter
        s! options with their values: docker-options docker-options:list docker-options:report
        s! logins in templates and labels: caddy:labels:show caddy:show-config haproxy:labels:show \
        haproxy:show-config nginx:show-conf nginx:show-config openresty:labels:show openresty:show-config \
        traefik:labels:show traefik:show-config
        s! some forms show passwords, tokens or command lines: apps:report buildpacks:list buildpacks:report \
        logs:report openresty:report ps:report report scheduler-k3s:report traefik:report
        s! the words of all commands: events events:on
        s! every later command prints all values that dokku reads: trace:on
        s! command lines: cron:list cron:report run:list
        s! errors that quote a sink with its key: logs:vector-logs
        s! secrets of the cluster: scheduler-k3s:autoscaling-auth:report scheduler-k3s:charts:report \
        scheduler-k3s:preview
        s it says whether a guessed password is right: git:auth-status
        s a copy with all variables, under a name that other lines may allow: apps:clone
        o it takes a domain that another app serves: domains:add domains:set
        o! what all apps share: domains:add-global domains:clear-global domains:remove-global domains:set-global
        o logins and keys of the host: git:allow-host git:auth registry:login registry:logout
        o! the key of the host, for all apps: git:generate-deploy-key
        o it decides where images come from and go to: registry:set
        o files that user dokku can read, and a certificate for any domain: certs:add certs:update
        o apps of any name: apps:create apps:destroy apps:rename
        o networks that other apps use: network:create network:destroy
        o! all apps: network:rebuildall
        o! what serves all apps: caddy:start caddy:stop haproxy:start haproxy:stop logs:vector-start logs:vector-stop \
        nginx:reload nginx:start nginx:stop openresty:start openresty:stop traefik:start traefik:stop
        o it can remove the configuration of all apps: nginx:validate nginx:validate-config
        o it takes a port of the host: ports:add ports:set
        o another proxy, scheduler or shell: proxy:set scheduler-docker-local:set scheduler:set
        o folders that several apps share: storage:annotations:set storage:destroy storage:labels:set \
        storage:migrate storage:unmount
        o it writes the crontab of all apps: cron:resume cron:set cron:suspend
        o all apps, if none is named: cleanup ps:restore ps:retire run:retire
        o! it changes what the host writes down: events:off trace:off
        o a word after the app leads to another app's: builds:info builds:output run:stop
        """

    private static func parse(_ text: String) -> [String: Hazard] {
        var table: [String: Hazard] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard let kind = line.first.flatMap(Kind.init(rawValue:)), parts.count == 2,
                let blank = parts[0].firstIndex(of: " ")
            else { continue }
            let hazard = Hazard(
                kind: kind, isFixed: parts[0].dropFirst().first == "!",
                reason: String(parts[0][blank...].dropFirst()))
            for name in parts[1].split(separator: " ") { table[String(name)] = hazard }
        }
        return table
    }
}

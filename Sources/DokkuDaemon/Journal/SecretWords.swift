// Which words of a command line are kept from the logs besides those that hide themselves by a `=`.

/// How much of one command line is hidden.
struct Hiding {
    enum Extent { case nothing, word, rest }

    private let invocation: Invocation
    /// The first word after the name is shown, the others are not.
    private let endsAfterFirst: Bool
    /// The place of the app's name in `config:set`, of whose words the others show what stands before their `=`.
    private let onlyPlain: Int?

    init(_ invocation: Invocation) {
        self.invocation = invocation
        let traits = CommandTraits.of(invocation.name)
        let name = CommandName.target(ofAlias: invocation.name) ?? invocation.name
        endsAfterFirst = traits == nil || traits?.endless == .program || SecretWords.takers.contains(name)
        let words = invocation.nameIndex + 1..<invocation.arguments.count
        onlyPlain =
            name == "config:set" ? words.first { !Self.isConfigFlag(invocation.arguments, $0) } ?? -1 : nil
    }

    /// Whether word `index`, or it and all after it, must not be seen.
    func extent(at index: Int) -> Extent {
        let name = invocation.nameIndex
        guard index > name else { return .nothing }
        if endsAfterFirst { return index == name + 1 ? .nothing : .rest }
        let arguments = invocation.arguments
        if let onlyPlain {
            let isSeen =
                index == onlyPlain || Self.isConfigFlag(arguments, index)
                || arguments[index].contains(UInt8(ascii: "="))
            return isSeen ? .nothing : .word
        }
        return index > name + 1 && SecretWords.announceSecret(arguments[index - 1]) ? .word : .nothing
    }

    private static func isConfigFlag(_ arguments: ArgumentList, _ index: Int) -> Bool {
        arguments.word(index, is: "--no-restart") || arguments.word(index, is: "--encoded")
            || arguments.word(index, is: "--global")
    }
}

enum SecretWords {
    /// Commands of dokku's own that are given a password, or a command line for something else.
    static let takers: Set<String> = [
        "git:auth", "git:auth-status", "plugin:trigger", "registry:login", "run:detached",
        "scheduler-k3s:autoscaling-auth:set",
    ]

    /// Commands of dokku's own that pass on what an app, a build, a template or a log file says, or settings that
    /// hold credentials as often as not.
    static let foreignOutput: Set<String> = [
        "app-json:report", "apps:clone", "apps:rename", "builds:info", "builds:list", "certs:key",
        "checks:run",
        "config:clear", "cron:list", "cron:report", "deploy", "events:list", "git:auth-status",
        "git:from-archive",
        "git:from-image", "git:load-image", "git:status", "git:sync", "logs:failed", "logs:report",
        "logs:set",
        "caddy:show-config", "haproxy:show-config", "openresty:show-config", "nginx:show-conf",
        "nginx:show-config", "nginx:validate", "nginx:validate-config", "plugin:install",
        "plugin:install-dependencies", "plugin:trigger", "plugin:uninstall", "plugin:update", "ps:rebuild",
        "ps:restart", "ps:restore", "ps:start", "run:detached", "run:list",
        "scheduler-k3s:autoscaling-auth:report",
        "scheduler-k3s:autoscaling-auth:set", "scheduler-k3s:charts:report", "scheduler-k3s:charts:set",
        "scheduler-k3s:initialize", "scheduler-k3s:preview", "scheduler-k3s:report", "scheduler-k3s:set",
        "traefik:set",
    ]

    private static let names = [
        "password", "passwd", "passphrase", "secret", "token", "credential", "apikey", "api-key", "api_key",
        "access-key", "access_key", "private-key", "private_key", "dns-provider-",
    ].map { Array($0.utf8) }

    /// True for a flag or a property after which a secret stands: `--password`, `basic-auth-password`.
    static func announceSecret(_ word: ArraySlice<UInt8>) -> Bool {
        let word = word.prefix(128).map {
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0
        }
        return names.contains { name in
            guard word.count >= name.count else { return false }
            return (0...word.count - name.count).contains { word[$0...].starts(with: name) }
        }
    }
}

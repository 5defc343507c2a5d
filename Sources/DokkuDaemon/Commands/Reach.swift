// What a command changes, by its name. A line may widen it: `Scope` judges the whole line.

enum Reach: Equatable, Sendable {
    /// Nothing, whatever its words are.
    case nothing
    /// The app that its first word names, and nothing that another app's command changes as well. Before that word
    /// only these flags may stand; one that ends in `=` takes a value.
    case app(flags: [String])
    /// Several apps, or what all apps share.
    case host
    /// What each dokku reads as it begins.
    case everything

    static func app(of name: String) -> Reach { .app(flags: leadingFlags[name] ?? []) }

    /// By command. A flag that is not here makes a line the host's, so a missing one only costs time.
    static let leadingFlags = parse(
        """
        buildpacks:add --index=
        buildpacks:detect --branch=
        buildpacks:remove --index=
        buildpacks:set --index= --replace
        config:clear --no-restart
        config:import --format= --no-restart --replace
        config:set --encoded --no-restart
        config:unset --no-restart
        cron:run --detach
        docker-options:add --process=
        docker-options:clear --process=
        docker-options:remove --process=
        git:from-archive --archive-type=
        git:from-image --build-dir= --force
        git:sync --build --build-if-changes --skip-deploy-branch
        ps:scale --format= --skip-deploy
        resource:limit --cpu= --memory= --memory-swap= --network= --network-egress= --network-ingress=
        resource:limit --nvidia-gpu= --process-type=
        resource:limit-clear --process-type=
        resource:reserve --cpu= --memory= --memory-swap= --network= --network-egress= --network-ingress=
        resource:reserve --nvidia-gpu= --process-type=
        resource:reserve-clear --process-type=
        run --env= --force-tty --no-tty --ttl-seconds= -e=
        run:detached --env= --force-tty --no-tty --ttl-seconds= -e=
        """)

    private static func parse(_ text: String) -> [String: [String]] {
        var flags: [String: [String]] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard let name = words.first else { continue }
            flags[name, default: []] += words.dropFirst()
        }
        return flags
    }
}

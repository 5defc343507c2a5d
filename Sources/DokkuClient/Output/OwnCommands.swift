// The names of the daemon's own commands.

enum OwnCommands {
    static let names: Set<String> = [
        "commands", "refresh", "daemon:cancel", "daemon:events", "daemon:forget", "daemon:help",
        "daemon:jobs",
        "daemon:output", "daemon:queue", "daemon:signal", "daemon:status", "daemon:submit", "daemon:version",
        "daemon:wait",
    ]
}

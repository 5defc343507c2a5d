// Which commands read the client's standard input. The client must know before it asks: what it reads from a pipe is gone for
// whoever else reads there, as the loop `while read app; do dokku ps:restart "$app"; done`, and a pipe may never end.

enum CommandInput {
    /// dokku's own commands that read it. `config:import` reads a file that is named.
    private static let readers: Set<String> = [
        "certs:add", "certs:generate", "certs:update", "config:import", "cron:run", "enter", "git:auth",
        "git:auth-status", "git:load-image", "registry:login", "run", "ssh-keys:add", "storage:exec",
        "maintenance:custom-page",
    ]
    /// What plugins call such commands.
    private static let endings = [":import", ":connect", ":enter"]

    static func isRead(by name: String) -> Bool {
        readers.contains(name) || endings.contains { name.hasSuffix($0) }
    }

    /// Whether a person may be asked before it destroys something, and the answer is read from standard input.
    static func mayAsk(_ name: String) -> Bool { name.hasSuffix(":destroy") }

    /// Whether the command starts a program that a person can talk to, so it takes all three descriptors.
    static func isConversation(_ name: String) -> Bool { name == "enter" || name == "run" }
}

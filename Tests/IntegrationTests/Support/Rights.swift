// Daemons whose sockets have rights of their own.
import Glibc
import TestSupport

extension DaemonProcess {
    /// A daemon with a socket for each name, with these rules, and with these lists. The first one has no rules.
    ///
    /// Commands run as `nobody`, who stands for dokku's user, if the test runs as root. So the stand-in is in the box,
    /// and open to all.
    static func withRights(
        _ sockets: [(name: String, rules: String)], lists: [String: String] = [:],
        settings: [String: String] = [:], ready: Bool = true
    ) throws -> DaemonProcess {
        let box = try Box()
        chmod(box.path, 0o755)
        chmod(box.journal.path, 0o666)
        for name in ["dokku", "test-dokku", "commands.txt"] {
            try box.write(contents(standIn + "/" + name), to: name, mode: 0o755)
        }
        for folder in ["allow", "apps"] { _ = try box.makeFolder(folder) }
        chmod(box.path("apps"), 0o777)
        for (name, text) in lists { try box.write(text, to: "allow/\(name)") }
        let own = [
            "DOKKU_DAEMON_DOKKU": box.path("test-dokku"), "DOKKU_DAEMON_ALLOW_DIR": box.path("allow"),
            "DOKKU_SYSTEM_USER": geteuid() == 0 ? "nobody" : "root",
        ]
        return try DaemonProcess(
            box,
            sockets: ([("socket", "")] + sockets).map { try BoundSocket(box.path($0.0), name: $0.1) },
            settings: own.merging(settings) { $1 }, ready: ready)
    }

    /// A client of the socket of that name.
    func client(_ socket: String) throws -> TestClient { try connect(box.path(socket)) }

    /// A plugin that asks who may do what: `commands` for the apps that a name was given.
    func addAuthority(commands: [String], apps: [String: [String]]) throws {
        let folder = try box.makeFolder("plugins/enabled/authority")
        chmod(folder, 0o755)
        try box.write(
            contents(Self.standIn + "/user-auth"), to: "plugins/enabled/authority/user-auth", mode: 0o755)
        try box.write(commands.joined(separator: "\n") + "\n", to: "plugins/enabled/authority/commands")
        for (name, apps) in apps {
            try box.write(apps.joined(separator: "\n") + "\n", to: "plugins/enabled/authority/apps-\(name)")
        }
    }
}

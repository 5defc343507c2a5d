// The settings, from the environment.
import DokkuProtocol
import Glibc

struct Configuration {
    var socketPath: String
    /// Whether `DOKKU_SOCK_PATH` is set. If so, the daemon listens there even if systemd passes other sockets.
    var isSocketPathGiven: Bool
    var listenerRules: ListenerRules
    /// The folder of the lists that `allow=` names.
    var allowFolder: String
    var lockPath: String
    /// Nil if there is no log file.
    var logPath: String?
    var journal: JournalUse
    var program: String
    /// The user that runs dokku's commands if the daemon is root.
    var systemUser: String
    var stateFolder: String
    /// Where dokku keeps its data.
    var library: String
    var pluginFolders: [String]
    var serverLimits: ServerLimits
    var executorLimits: Executor.Limits
    var archiveLimits: KeepLimits
    var queueLimit: Int
    var spoolLimit: Int
    /// Waiting requests may hold as much as unfinished lines, and at least eight lines of the longest kind.
    var wordLimit: Int { max(serverLimits.buffer, 8 * serverLimits.line) }
    var killGrace: Duration
    var drainGrace: Duration
    var stopGrace: Duration
    /// Nil if it never exits.
    var idleExit: Duration?
    /// Names that look like settings of the daemon but are unknown.
    var unknownNames: [String]
    /// What is wrong with the settings. A wrong setting has its default value.
    var faults: [String]

    /// Reads all settings, and reports everything that is wrong at once.
    init(environment: [String: String]) {
        var settings = SettingsReader(environment)
        socketPath = settings.file("DOKKU_SOCK_PATH", "/var/run/dokku-daemon/dokku-daemon.sock")
        settings.check("DOKKU_SOCK_PATH", "a path of 107 bytes at most, unix(7)") { $0.utf8.count <= 107 }
        isSocketPathGiven = settings.value("DOKKU_SOCK_PATH") != nil
        lockPath = settings.file("DOKKU_LOCK_PATH", "/var/lock/dokku-daemon/dokku-daemon.lock")
        logPath =
            settings.value("DOKKU_DAEMON_LOGFILE") == "none"
            ? nil : settings.file("DOKKU_DAEMON_LOGFILE", "/var/log/dokku/dokku-daemon.log")
        journal =
            settings.read("DOKKU_DAEMON_JOURNAL", "yes, no or auto", JournalUse.init(rawValue:)) ?? .automatic
        program = settings.program("DOKKU_DAEMON_DOKKU", "dokku")
        systemUser = settings.value("DOKKU_SYSTEM_USER") ?? "dokku"
        let state = settings.path("STATE_DIRECTORY", "/var/lib/dokku-daemon").prefix { $0 != ":" }
        stateFolder = settings.path("DOKKU_DAEMON_STATE_DIR", String(state))
        library = settings.path("DOKKU_LIB_ROOT", "/var/lib/dokku")
        pluginFolders = [
            settings.path("PLUGIN_PATH", library + "/plugins") + "/enabled",
            settings.path("PLUGIN_CORE_PATH", library + "/core-plugins") + "/enabled",
        ]
        listenerRules =
            settings.read(
                "DOKKU_DAEMON_LISTENER", "a list of rules, separated by commas: \(ListenerRules.names)"
            ) {
                try? ListenerRules(parsing: $0)
            } ?? ListenerRules()
        allowFolder = settings.file("DOKKU_DAEMON_ALLOW_DIR", "/etc/dokku-daemon/allow")
        serverLimits = ServerLimits(
            line: settings.size("DOKKU_DAEMON_MAX_LINE", 1 << 20),
            input: settings.size("DOKKU_DAEMON_MAX_INPUT", 1 << 30),
            inputTime: settings.optionalTime("DOKKU_DAEMON_INPUT_TIMEOUT", 60),
            buffer: settings.size("DOKKU_DAEMON_MAX_BUFFER", 16 << 20),
            connections: settings.size("DOKKU_DAEMON_MAX_CONNECTIONS", 1000),
            open: settings.size("DOKKU_DAEMON_MAX_OPEN", 64))
        executorLimits = Executor.Limits(
            follow: settings.size("DOKKU_DAEMON_MAX_FOLLOW", 16),
            output: settings.size("DOKKU_DAEMON_MAX_OUTPUT", 256 << 20),
            timeout: settings.optionalTime("DOKKU_DAEMON_TIMEOUT"),
            schedule: Schedule.Limits(
                readers: settings.count("DOKKU_DAEMON_READERS", 0, in: 0...64),
                workers: settings.count("DOKKU_DAEMON_WORKERS", 1, in: 1...64)))
        archiveLimits = KeepLimits(
            keep: settings.time("DOKKU_DAEMON_KEEP", 86_400),
            jobs: settings.size("DOKKU_DAEMON_MAX_JOBS", 1000),
            bytes: settings.size("DOKKU_DAEMON_MAX_KEPT", 1 << 30))
        queueLimit = settings.size("DOKKU_DAEMON_MAX_QUEUE", 1000)
        spoolLimit = settings.size("DOKKU_DAEMON_MAX_SPOOL", 2 << 30)
        killGrace = settings.time("DOKKU_DAEMON_KILL_GRACE", 30)
        drainGrace = settings.time("DOKKU_DAEMON_DRAIN_GRACE", 2)
        stopGrace = settings.time("DOKKU_DAEMON_STOP_GRACE", 25)
        idleExit = settings.optionalTime("DOKKU_DAEMON_IDLE_EXIT")
        unknownNames = settings.unknownNames
        faults = settings.faults
    }
    /// Problems that do not keep the daemon from starting.
    var warnings: [String] { unknownNames.map { "unknown setting \($0)" } }
}

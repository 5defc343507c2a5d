// The settings, from the environment.
import Glibc

/// A setting that cannot be used; the daemon does not start with it.
struct ConfigurationFailure: Error, CustomStringConvertible {
    var description: String
}

struct Configuration {
    var socketPath: String
    /// True where `DOKKU_SOCK_PATH` was set: then the daemon listens there also when it was activated elsewhere.
    var isSocketPathGiven: Bool
    var listenerOptions: ListenerOptions
    var lockPath: String
    /// Nil: no log file.
    var logPath: String?
    var journal: JournalUse
    var program: String
    /// The user that dokku's commands run as.
    var systemUser: String
    var stateFolder: String
    var pluginFolders: [String]
    var serverLimits: Server.Limits
    var executorLimits: Executor.Limits
    var spoolLimit: Int
    var killGrace: Duration
    var drainGrace: Duration
    var stopGrace: Duration
    /// Nil: never.
    var idleExit: Duration?

    init(environment: [String: String]) throws(ConfigurationFailure) {
        let settings = Settings(environment)
        socketPath = settings.path("DOKKU_SOCK_PATH", "/var/run/dokku-daemon/dokku-daemon.sock")
        isSocketPathGiven = settings.value("DOKKU_SOCK_PATH") != nil
        lockPath = settings.path("DOKKU_LOCK_PATH", "/var/lock/dokku-daemon/dokku-daemon.lock")
        let log = settings.value("DOKKU_DAEMON_LOGFILE")
        logPath =
            log == "none" ? nil : settings.path("DOKKU_DAEMON_LOGFILE", "/var/log/dokku/dokku-daemon.log")
        journal = try settings.journal("DOKKU_DAEMON_JOURNAL")
        let dokku = settings.value("DOKKU_DAEMON_DOKKU") ?? "dokku"
        program = dokku.contains("/") ? absolute(dokku) : dokku
        systemUser = settings.value("DOKKU_SYSTEM_USER") ?? "dokku"
        let state = settings.value("STATE_DIRECTORY").map { String($0.prefix { $0 != ":" }) }
        stateFolder = settings.path("DOKKU_DAEMON_STATE_DIR", state ?? "/var/lib/dokku-daemon")
        let library = settings.value("DOKKU_LIB_ROOT") ?? "/var/lib/dokku"
        pluginFolders = [
            settings.path("PLUGIN_PATH", library + "/plugins") + "/enabled",
            settings.path("PLUGIN_CORE_PATH", library + "/core-plugins") + "/enabled",
        ]
        do throws(ListenFailure) {
            listenerOptions = try Activation.options(settings.value("DOKKU_DAEMON_LISTENER") ?? "")
        } catch {
            throw ConfigurationFailure(description: "DOKKU_DAEMON_LISTENER: \(error)")
        }
        serverLimits = Server.Limits(
            line: try settings.size("DOKKU_DAEMON_MAX_LINE", 1 << 20),
            input: try settings.size("DOKKU_DAEMON_MAX_INPUT", 1 << 30),
            buffer: try settings.size("DOKKU_DAEMON_MAX_BUFFER", 64 << 20),
            connections: try settings.size("DOKKU_DAEMON_MAX_CONNECTIONS", 1000),
            open: try settings.size("DOKKU_DAEMON_MAX_OPEN", 64))
        executorLimits = Executor.Limits(
            queue: try settings.size("DOKKU_DAEMON_MAX_QUEUE", 1000),
            follow: try settings.size("DOKKU_DAEMON_MAX_FOLLOW", 16),
            output: try settings.size("DOKKU_DAEMON_MAX_OUTPUT", 256 << 20),
            timeout: try settings.optionalTime("DOKKU_DAEMON_TIMEOUT"))
        spoolLimit = try settings.size("DOKKU_DAEMON_MAX_SPOOL", 2 << 30)
        killGrace = try settings.time("DOKKU_DAEMON_KILL_GRACE", 30)
        drainGrace = try settings.time("DOKKU_DAEMON_DRAIN_GRACE", 2)
        stopGrace = try settings.time("DOKKU_DAEMON_STOP_GRACE", 25)
        idleExit = try settings.optionalTime("DOKKU_DAEMON_IDLE_EXIT")
    }
}

/// Reads single settings. An empty one counts as not set, as in the shell's `${X:=default}`.
private struct Settings {
    private let environment: [String: String]

    init(_ environment: [String: String]) { self.environment = environment }

    func value(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    func path(_ name: String, _ standard: String) -> String { absolute(value(name) ?? standard) }

    /// Decimal digits, at least 1.
    func size(_ name: String, _ standard: Int) throws(ConfigurationFailure) -> Int {
        guard let text = value(name) else { return standard }
        guard text.utf8.allSatisfy(isDigit), let number = Int(text), number > 0, number <= 1 << 53 else {
            throw ConfigurationFailure(description: "\(name) is not a number of at least 1")
        }
        return number
    }

    func journal(_ name: String) throws(ConfigurationFailure) -> JournalUse {
        guard let text = value(name) else { return .automatic }
        guard let use = JournalUse(rawValue: text) else {
            throw ConfigurationFailure(description: "\(name) is none of yes, no, auto")
        }
        return use
    }

    /// Seconds, decimals allowed, up to some centuries.
    func time(_ name: String, _ standard: Int) throws(ConfigurationFailure) -> Duration {
        guard let text = value(name) else { return .seconds(standard) }
        guard text.utf8.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: ".") }), let number = Double(text),
            number <= 9_000_000_000
        else {
            throw ConfigurationFailure(description: "\(name) is not a number of seconds")
        }
        return .seconds(number)
    }

    /// Likewise; 0 is none.
    func optionalTime(_ name: String) throws(ConfigurationFailure) -> Duration? {
        let time = try time(name, 0)
        return time == .zero ? nil : time
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

/// A path from the working directory as of now; the daemon's children work in `/`.
private func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return "\(String(cString: folder))/\(path)"
}

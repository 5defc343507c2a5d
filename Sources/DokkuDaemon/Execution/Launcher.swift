// Starts programs the way every child of the daemon is started: found in PATH, with an environment made once.
import CEpollShim
import Glibc

/// Which descriptors a child gets as its own; the caller keeps owning them.
struct ChildDescriptors {
    var input: Int32
    var output: Int32
    var error: Int32
    /// The command lock, inherited as descriptor 3; -1 for none.
    var lock: Int32 = -1
}

final class Launcher {
    /// What dokku would read from the environment and act upon, and what was meant for the daemon alone.
    static let hiddenVariables: Set<String> = [
        "SSH_ORIGINAL_COMMAND", "SSH_USER", "SSH_NAME", "NAME", "SSH_TTY", "DOKKU_QUIET_OUTPUT",
        "DOKKU_TRACE",
        "DOKKU_APP_NAME", "DOKKU_APPS_FORCE_DELETE", "DOKKU_GLOBAL_FLAGS", "DOKKU_PID", "NOTIFY_SOCKET",
    ]
    private static let hiddenPrefixes = ["LISTEN_", "WATCHDOG_"]
    private static let standardFolders = [
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
    ]

    let program: String
    /// Not a name to be searched.
    private let isPath: Bool
    private let folders: [String]
    private let environment: [UnsafeMutablePointer<CChar>?]

    /// `program` is a name to be searched in PATH at each start, or a path.
    init(program: String, environment variables: [String: String]) {
        self.program = program
        isPath = program.utf8.contains(UInt8(ascii: "/"))
        var child = variables.filter { name, _ in
            !Self.hiddenVariables.contains(name) && !Self.hiddenPrefixes.contains { name.hasPrefix($0) }
        }
        var folders = (child["PATH"] ?? "").split(separator: ":").map(String.init)
        folders += Self.standardFolders.filter { !folders.contains($0) }
        child["PATH"] = folders.joined(separator: ":")
        child["TERM"] = "dumb"
        if !Self.isUTF8(child["LC_ALL"] ?? child["LC_CTYPE"] ?? child["LANG"] ?? "") {
            child["LC_ALL"] = nil
            child["LC_CTYPE"] = nil
            child["LANG"] = "C.UTF-8"
        } else if child["LANG"].map(Self.isUTF8) != true {
            child["LANG"] = "C.UTF-8"
        }
        self.folders = folders
        environment = child.map { strdup("\($0.key)=\($0.value)") } + [nil]
    }

    deinit { for variable in environment { free(variable) } }

    private static func isUTF8(_ locale: String) -> Bool {
        let lowered = locale.lowercased()
        return lowered.hasSuffix(".utf-8") || lowered.hasSuffix(".utf8")
    }

    /// The path of the program as of now, or why there is none.
    func locate() throws(SystemError) -> String {
        if isPath { return program }
        var failure = ENOENT
        for folder in folders {
            let path = "\(folder)/\(program)"
            if access(path, X_OK) == 0 { return path }
            if errno == EACCES { failure = EACCES }
        }
        throw SystemError(call: "start", number: failure)
    }

    /// Starts the program in a session of its own and returns its process number; the caller must reap it.
    func start(_ arguments: ArgumentList, _ descriptors: ChildDescriptors) throws(SystemError) -> pid_t {
        let path = try locate()
        var pid: pid_t = 0
        let failure = arguments.withArgumentVector(program: program) { vector in
            environment.withUnsafeBufferPointer { environment in
                shim_spawn(
                    &pid, path, vector, environment.baseAddress, descriptors.input, descriptors.output,
                    descriptors.error, descriptors.lock)
            }
        }
        guard failure == 0 else { throw SystemError(call: "start", number: failure) }
        return pid
    }
}

// The environment of the daemon's children, made from the daemon's own.
import Glibc

/// Variables in the form that exec(3) takes.
final class ChildEnvironment {
    /// Variables that would change what dokku does, or that are meant for the daemon alone.
    static let hiddenVariables: Set<String> = [
        "SSH_ORIGINAL_COMMAND", "SSH_USER", "SSH_NAME", "NAME", "SSH_TTY", "DOKKU_QUIET_OUTPUT",
        "DOKKU_TRACE",
        "DOKKU_FORCE_TTY", "DOKKU_DISABLE_TTY",
        "DOKKU_APP_NAME", "DOKKU_APPS_FORCE_DELETE", "DOKKU_GLOBAL_FLAGS", "DOKKU_PID", "NOTIFY_SOCKET",
    ]
    private static let hiddenPrefixes = ["LISTEN_", "WATCHDOG_"]
    /// Folders of programs that exist on every system.
    static let standardFolders = [
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
    ]
    /// sudo's `secure_path` on Debian, and with the last folder on Ubuntu.
    private static let securePath = (standardFolders + ["/snap/bin"]).joined(separator: ":")
    /// Variables that dokku removes before it changes to its own user.
    private static let ownUserVariables = ["DOKKU_PID", "TMP", "TMPDIR", "TEMP", "TEMPDIR"]

    /// Variables about whoever started the daemon by hand. The key's command has its own.
    private static let loginPrefixes = ["SSH_", "SUDO_", "FINGERPRINT"]

    private let variables: [String: String]
    private let entries: [UnsafeMutablePointer<CChar>?]
    /// Bytes of all entries, NULs included.
    let byteCount: Int
    /// The folders of `PATH`.
    let folders: [String]

    private init(_ variables: [String: String], folders: [String]) {
        self.variables = variables
        self.folders = folders
        entries = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        byteCount = variables.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 2 }
    }

    deinit { for entry in entries { free(entry) } }

    /// For a child that runs as the daemon itself.
    convenience init(from own: [String: String]) {
        var child = own.filter { name, _ in
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
        self.init(child, folders: folders)
    }

    /// The environment for a child that runs as another user: what dokku and sudo(8) make of it when they change to
    /// that user. `caller` is the name of the daemon's own user.
    func changed(to account: Account, caller: String) -> ChildEnvironment {
        own(by: account) { child in
            child["SSH_USER"] = caller
            child["SUDO_USER"] = caller
        }
    }

    /// The environment for a child that runs as if its command came over ssh with a key: what sshd(8) and the key's
    /// forced command make.
    func overSSH(to account: Account, key: String) -> ChildEnvironment {
        own(by: account) { child in
            child = child.filter { name, _ in !Self.loginPrefixes.contains { name.hasPrefix($0) } }
            child["SSH_USER"] = account.name
            child["NAME"] = key
            child["SSH_NAME"] = key
        }
    }

    /// With more variables, or with others of the same name.
    func adding(_ more: [String: String]) -> ChildEnvironment {
        more.isEmpty ? self : ChildEnvironment(variables.merging(more) { $1 }, folders: folders)
    }

    private func own(by account: Account, _ change: (inout [String: String]) -> Void) -> ChildEnvironment {
        var child = variables
        for name in Self.ownUserVariables { child[name] = nil }
        child["USER"] = account.name
        child["LOGNAME"] = account.name
        child["HOME"] = account.home
        child["PATH"] = Self.securePath
        change(&child)
        return ChildEnvironment(child, folders: folders)
    }

    var count: Int { variables.count }

    func withEntries<Result>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result) -> Result {
        entries.withUnsafeBufferPointer { body($0.baseAddress) }
    }

    private static func isUTF8(_ locale: String) -> Bool {
        let lowered = locale.lowercased()
        return lowered.hasSuffix(".utf-8") || lowered.hasSuffix(".utf8")
    }
}

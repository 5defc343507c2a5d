// Starts every child of the daemon: finds its program in PATH, and gives it its user and an environment that is
// made once.
import CEpollShim
import DokkuProtocol
import Glibc

/// The descriptors that a child gets. The caller keeps its own.
struct ChildDescriptors {
    var input: Int32
    var output: Int32
    /// True if `output` is a file to be emptied. The child does that after all other steps, just before its exec.
    var emptiesOutput = false
    var error: Int32
    /// The command lock, inherited as descriptor 3; -1 for none.
    var lock: Int32 = -1
}

final class Launcher {
    let program: String
    /// Whether `program` is a path, not a name to search for.
    private let isPath: Bool
    private let environment: ChildEnvironment
    /// The words before the arguments of a child that runs as the daemon itself.
    private let leading: ArgumentList
    private let sizeLimit: Int
    private let user: SystemUser?
    private let setpriv: String?
    private var changes: [Identity: UserChange] = [:]

    /// What is made once for children of another user.
    private struct UserChange {
        let account: Account
        let path: String
        let leading: ArgumentList
        let environment: ChildEnvironment
    }

    /// `program` is a path, or a name that is searched in PATH at each start. Some commands run as `user`, not as
    /// the daemon.
    init(program: String, environment variables: [String: String], user: SystemUser? = nil) {
        self.program = program
        self.user = user
        isPath = program.utf8.contains(UInt8(ascii: "/"))
        environment = ChildEnvironment(from: variables)
        leading = ArgumentList([program])
        // The limit of execve(2), which depends on the stack's limit up to 24 MiB.
        sizeLimit = min(sysconf(Int32(_SC_ARG_MAX)), 6 << 20)
        setpriv = ChildEnvironment.standardFolders.map { "\($0)/setpriv" }.first { access($0, X_OK) == 0 }
    }

    /// Why commands cannot be started as their user; nil if they can, or if there is no such user.
    var complaint: String? {
        guard setpriv == nil, let account = user?.current() else { return nil }
        return
            "setpriv is missing: dokku changes to user \(account.name) with sudo, which logs every command with its secrets"
    }

    /// Why no command can be started with the name of an ssh key; nil if it can.
    var keyHolderComplaint: String? {
        guard let user else { return "there is no user to start commands as" }
        return user.complaint ?? (setpriv == nil && user.ownUser == 0 ? "setpriv is missing" : nil)
    }

    /// The current path of the program, or why there is none.
    func locate() throws(SystemError) -> String {
        if isPath { return program }
        var failure = ENOENT
        for folder in environment.folders {
            let path = "\(folder)/\(program)"
            if access(path, X_OK) == 0 { return path }
            if errno == EACCES { failure = EACCES }
        }
        throw SystemError(call: "start", number: failure)
    }

    /// Starts the program in a new session, and returns its process ID, which the caller must reap. `variables` replace
    /// those of the same name.
    func start(
        _ arguments: ArgumentList, as identity: Identity = .daemon, _ descriptors: ChildDescriptors,
        adding variables: [String: String] = [:]
    ) throws(SystemError) -> pid_t {
        let path = try locate()
        if descriptors.emptiesOutput { try checkInterpreter(of: path) }
        guard let account = try account(of: identity) else {
            return try spawn(path, leading, arguments, environment.adding(variables), descriptors)
        }
        let change = userChange(to: account, identity, path)
        let environment = change.environment.adding(variables)
        guard account.user != geteuid(), let setpriv else {
            return try spawn(path, leading, arguments, environment, descriptors)
        }
        // If setpriv could not start the program, that would look like an exit of the program.
        if isPath { try checkProgram(path) }
        return try spawn(setpriv, change.leading, arguments, environment, descriptors)
    }

    /// The user that a child gets; nil if that is the daemon's own, with the daemon's environment.
    private func account(of identity: Identity) throws(SystemError) -> Account? {
        switch identity {
        case .daemon: return nil
        case .systemUser: return setpriv == nil ? nil : user?.current()
        case .keyHolder:
            guard keyHolderComplaint == nil, let account = user?.account() else {
                throw SystemError(call: "start", number: EPERM)
            }
            return account
        }
    }

    private func userChange(to account: Account, _ identity: Identity, _ path: String) -> UserChange {
        if let change = changes[identity], change.account == account, change.path == path { return change }
        // setpriv(1) executes the program in its own place, so process, group and signals are the command's.
        let fresh = UserChange(
            account: account, path: path,
            leading: [
                "setpriv", "--reuid=\(account.name)", "--regid=\(account.group)", "--init-groups", "--", path,
            ],
            environment: environment(of: identity, account))
        changes[identity] = fresh
        return fresh
    }

    private func environment(of identity: Identity, _ account: Account) -> ChildEnvironment {
        if case .keyHolder(let name) = identity { return environment.overSSH(to: account, key: name) }
        return environment.changed(to: account, caller: Account.numbered(geteuid())?.name ?? "root")
    }

    private func checkProgram(_ path: String) throws(SystemError) {
        var status = stat()
        _ = try retrying("start") { stat(path, &status) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o111 != 0 else {
            throw SystemError(call: "start", number: EACCES)
        }
    }

    /// Fails if a script cannot be executed because its interpreter cannot, execve(2). The kernel would find that
    /// only after the output's file was emptied.
    private func checkInterpreter(of path: String) throws(SystemError) {
        try checkProgram(path)
        guard let file = try? Descriptor.open(path, O_RDONLY), let start = try? file.readStart(256),
            start.starts(with: "#!".utf8)
        else { return }
        let blanks = " \t".utf8
        let interpreter = start.dropFirst(2).drop(while: blanks.contains)
            .prefix { !blanks.contains($0) && $0 != UInt8(ascii: "\n") }
        try checkProgram(String(decoding: interpreter, as: UTF8.self))
    }

    private func spawn(
        _ path: String, _ leading: ArgumentList, _ arguments: ArgumentList, _ environment: ChildEnvironment,
        _ descriptors: ChildDescriptors
    ) throws(SystemError) -> pid_t {
        try checkSize(leading, arguments, environment)
        var pid: pid_t = 0
        let failure = arguments.withArgumentVector(after: leading) { vector in
            environment.withEntries { entries in
                shim_spawn(
                    &pid, path, vector, entries,
                    shim_descriptors(
                        input: descriptors.input, output: descriptors.output, error: descriptors.error,
                        lock: descriptors.lock, empties_output: descriptors.emptiesOutput ? 1 : 0))
            }
        }
        guard failure == 0 else { throw SystemError(call: "start", number: failure) }
        return pid
    }

    /// Finds what execve(2) would refuse, before anything has happened that cannot be undone.
    private func checkSize(
        _ leading: ArgumentList, _ arguments: ArgumentList, _ environment: ChildEnvironment
    ) throws(SystemError) {
        // A word has at most 32 pages, its NUL included.
        let longestWord = 32 * 4096 - 1
        // For the program's path, and for what the first line of a script adds.
        let slack = 4096
        let count = leading.count + arguments.count + environment.count + 2
        let size = leading.byteCount + arguments.byteCount + environment.byteCount + slack
        let pointers = count * MemoryLayout<UnsafePointer<CChar>>.size
        guard size + pointers <= sizeLimit, !arguments.hasWord(longerThan: longestWord) else {
            throw SystemError(call: "start", number: E2BIG)
        }
    }
}

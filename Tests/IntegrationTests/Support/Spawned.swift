// A process that a test has started: the daemon, or a client such as socat. It leads a process group, which is
// killed when the test lets go of it.
import CEpollShim
import Foundation
import TestSupport

/// POSIX_SPAWN_SETSID of spawn.h, which Swift shows only to who asks for GNU's extensions.
private let posixSpawnSetSession: Int32 = 0x80

final class Spawned {
    enum Exit: Equatable {
        case status(Int32)
        case signal(Int32)
    }

    let pid: pid_t
    let pidfd: Int32
    private var exit: Exit?

    /// Once and for all: a reader that leaves does not end the tests. What this process was born with stays here, because what
    /// a shell or a build leaves open must not look as if the daemon had left it open.
    private static let parenthood: Void = {
        Glibc.signal(SIGPIPE, SIG_IGN)
        for number in Int32(3)..<1024 where fcntl(number, F_GETFD) >= 0 {
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        }
    }()

    private static let births = NSLock()

    /// Nothing is born meanwhile, which would get what is open without close-on-exec.
    static func quietly<Result>(_ body: () throws -> Result) rethrows -> Result {
        try births.withLock(body)
    }

    /// Starts `arguments[0]`, searched in PATH, with nothing open but `descriptors`, which become 0, 1, 2, …. With the path of
    /// a terminal it leads a session of its own, which that terminal controls.
    init(
        _ arguments: [String], environment: [String: String] = [:], descriptors: [Int32],
        terminal: String? = nil
    ) throws {
        _ = Self.parenthood
        // First out of the way of the numbers they shall get.
        let moved = try descriptors.map { try checked("fcntl", fcntl($0, F_DUPFD_CLOEXEC, 100)) }
        defer { moved.forEach { close($0) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // A session's leader gets the first terminal that it opens (tty(4), TIOCSCTTY).
        if let terminal { posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0) }
        for (number, descriptor) in moved.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        let group = terminal == nil ? POSIX_SPAWN_SETPGROUP : posixSpawnSetSession
        posix_spawnattr_setflags(
            &attributes, Int16(group | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let path = String(cString: getenv("PATH"))
        let variables = environment.merging(["PATH": path]) { given, _ in given }
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var pid: pid_t = 0
        errno = Self.quietly { posix_spawnp(&pid, arguments[0], &actions, &attributes, &argv, &envp) }
        guard errno == 0 else { throw SystemFailure(call: "spawn \(arguments[0])") }
        self.pid = pid
        pidfd = shim_pidfd_open(pid)
    }

    deinit {
        if exit == nil {
            kill(-pid, SIGKILL)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
        }
        close(pidfd)
    }

    func signal(_ number: Int32) { kill(pid, number) }

    /// Waits for the end of the process.
    @discardableResult
    func wait(patience: Duration = .patience) throws -> Exit {
        if let exit { return exit }
        try Deadline(patience).wait(pidfd, what: "the end of process \(pid)")
        var value: Int32 = 0
        let kind = shim_wait(pid, &value)
        let ended = kind == 1 ? Exit.status(value) : .signal(value)
        exit = ended
        return ended
    }
}

/// A program with pipes at its standard input and output; its standard error joins the output.
final class PipedProgram {
    let process: Spawned
    let output: Stream
    private var input: Int32

    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        var toProgram: [Int32] = [0, 0]
        var fromProgram: [Int32] = [0, 0]
        try checked("pipe", shim_pipe(&toProgram, 0, 1))
        try checked("pipe", shim_pipe(&fromProgram, 1, 0))
        defer {
            close(toProgram[0])
            close(fromProgram[1])
        }
        input = toProgram[1]
        output = Stream(owning: fromProgram[0])
        process = try Spawned(
            arguments, environment: environment, descriptors: [toProgram[0], fromProgram[1], fromProgram[1]])
    }

    deinit { endInput() }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws { try writeAll(bytes, to: input) }

    func endInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// Runs a program to its end, with `input` for its standard input; a status other than 0 is an error.
    static func run(_ arguments: [String], input: String = "", patience: Duration = .patience) throws
        -> String
    {
        let program = try PipedProgram(arguments)
        try program.send(input)
        program.endInput()
        let output = try program.output.rest(patience: patience).text
        let exit = try program.process.wait()
        guard exit == .status(0) else {
            throw Overdue(what: "\(arguments), which ended with \(exit): \(output)")
        }
        return output
    }
}

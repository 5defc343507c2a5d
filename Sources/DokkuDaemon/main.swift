// The entry point: the command line, the settings, and the daemon's life.
import CEpollShim
import DokkuProtocol
import Glibc

// A write to a reader that has gone must fail with EPIPE, not end the daemon.
signal(SIGPIPE, SIG_IGN)

private func fail(_ text: String, _ status: Int32) -> Never {
    let line = Array("Error: \(text)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(status)
}

/// The environment. If a variable occurs twice, its first value counts, as for getenv(3).
private func readEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
        let parts = String(cString: entry).split(
            separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, variables[String(parts[0])] == nil {
            variables[String(parts[0])] = String(parts[1])
        }
        next += 1
    }
    return variables
}

/// Opens what is missing of descriptors 0 to 2: otherwise a file of the daemon could get such a number, and reach a
/// child as a standard stream. Other inherited descriptors must not reach a child.
private func prepareDescriptors() {
    while case let number = open("/dev/null", O_RDWR), number >= 0 {
        if number > STDERR_FILENO {
            close(number)
            break
        }
    }
    _ = shim_close_on_exec_from(3)
}

private func serve() {
    prepareDescriptors()
    shim_return_large_memory(256 * 1024)
    let environment = readEnvironment()
    // The working directory of the children, too. In `/` they keep no file system from being unmounted.
    _ = chdir("/")
    do throws(StartFailure) {
        try Daemon(Configuration(environment: environment), environment: environment).run()
    } catch {
        fail(error.description, error.exitStatus)
    }
}

/// Reports everything that is wrong with the settings on standard error, and what the sockets may do on standard
/// output, and exits.
private func check(_ files: [String]) -> Never {
    let environment = readEnvironment()
    var check = SettingsCheck(environment: environment, files: files)
    let sockets = check.checkSockets(SocketUnits(environment: environment).all())
    let lines = check.faults.map { "Error: \($0)\n" } + check.warnings.map { "Warning: \($0)\n" }
    let text = Array(lines.joined().utf8)
    _ = write(STDERR_FILENO, text, text.count)
    if check.faults.isEmpty { print("The settings are valid") }
    for line in sockets { print(line) }
    exit(check.faults.isEmpty ? EX_OK : EX_CONFIG)
}

/// Says whether a socket with these rules would run these words, and exits with 0 or 1.
private func explain(_ arguments: [String]) -> Never {
    guard let rules = arguments.first, arguments.count > 1 else {
        fail(
            "--explain takes the rules of a socket and a command: --explain allow=ci ps:restart blog",
            EX_USAGE)
    }
    let check = SettingsCheck(environment: readEnvironment(), files: [])
    switch Explanation(of: Array(arguments.dropFirst()), rules, configuration: check.configuration) {
    case .allowed(let reason):
        print("yes: \(reason)")
        exit(EX_OK)
    case .denied(let reason):
        print("no: \(reason)")
        exit(1)
    case .faulty(let faults): fail(faults.joined(separator: "\nError: "), EX_CONFIG)
    }
}

private let help = """
    Usage: dokku-daemon [OPTION]

    Runs dokku commands that come through a unix socket. Without an option it serves, with the settings in its
    environment.

      --check [FILE...]  say what is wrong with the settings, in the environment and in
                         \(SettingsCheck.unitFiles.joined(separator: " and\n                     "))
                         or in FILEs of the same format, and what each socket may do
      --explain RULES COMMAND...
                         say whether a socket with these rules, such as allow=ci, would run
                         the command, and why; "<" at the end stands for an input
      -h, --help         print how to use the program
      -v, --version      print its version

    More is in the manual pages dokku-daemon(8) and dokku-daemon-protocol(7).
    """

let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case nil: serve()
case "-h": print("Usage: dokku-daemon [-h|-v]")
case "-v": print("Version \(version)")
case "--help": print(help)
case "--version": print("dokku-daemon \(version)")
case "--check": check(Array(arguments.dropFirst()))
case "--explain": explain(Array(arguments.dropFirst()))
case let option?: fail("Unknown option \(option)", 1)
}

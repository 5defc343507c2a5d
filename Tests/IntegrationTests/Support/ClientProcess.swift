// The built client as a process of its own.
import CEpollShim
import Glibc
import TestSupport

final class ClientProcess {
    enum Input {
        /// `/dev/null`, as a service has it.
        case none
        /// A pipe with these bytes and its end.
        case bytes([UInt8])
        /// A pipe that stays open, on which `send` writes.
        case open
        /// A descriptor of the caller's.
        case descriptor(Int32)
    }

    struct End: Equatable {
        var exit: Spawned.Exit
        var output: String
        var errors: String

        init(_ exit: Spawned.Exit, _ output: String = "", _ errors: String = "") {
            self.exit = exit
            self.output = output
            self.errors = errors
        }
    }

    let process: Spawned
    let output: Stream
    let errors: Stream
    private var input: Int32 = -1

    /// Beside the daemon's.
    static let binary = DaemonProcess.binary.replacing(#/dokku-daemon$/#, with: "dokku-client")

    /// Standard output and standard error are pipes, which `output` and `errors` read, unless they are given.
    init(
        _ words: [String], to socket: String, input: Input = .none, output given: Int32? = nil,
        errors givenErrors: Int32? = nil, environment: [String: String] = [:], binary: String = binary
    ) throws {
        let out = try Self.pipe()
        let err = try Self.pipe()
        let into = try Self.pipe()
        output = Stream(owning: out.reads)
        errors = Stream(owning: err.reads)
        let null = try checked("open", open("/dev/null", O_RDONLY | O_CLOEXEC))
        let standard: Int32 =
            switch input {
            case .none: null
            case .bytes, .open: into.reads
            case .descriptor(let number): number
            }
        defer { for number in [null, into.reads, out.writes, err.writes] { close(number) } }
        process = try Spawned(
            [binary] + words, environment: ["DOKKU_SOCK_PATH": socket].merging(environment) { _, new in new },
            descriptors: [standard, given ?? out.writes, givenErrors ?? err.writes])
        self.input = into.writes
        switch input {
        case .bytes(let bytes):
            try writeAll(bytes, to: into.writes)
            endInput()
        case .open: break
        case .none, .descriptor: endInput()
        }
    }

    /// On a terminal, which is its standard input, output and error, and which controls it.
    init(
        _ words: [String], to socket: String, on terminal: PseudoTerminal,
        environment: [String: String] = [:], binary: String = binary
    ) throws {
        output = terminal.screen
        errors = terminal.screen
        process = try Spawned(
            [binary] + words,
            environment: ["DOKKU_SOCK_PATH": socket, "TERM": "xterm"].merging(environment) { _, new in new },
            descriptors: [terminal.line, terminal.line, terminal.line], terminal: terminal.path)
    }

    deinit { endInput() }

    private static func pipe() throws -> (reads: Int32, writes: Int32) {
        var ends: [Int32] = [0, 0]
        try checked("pipe", shim_pipe(&ends, 0, 0))
        return (ends[0], ends[1])
    }

    func send(_ text: String) throws { try writeAll(Array(text.utf8), to: input) }

    func endInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// What it wrote, and how it ended.
    func end() throws -> End {
        let written = try output.rest().text
        let complaints = try errors.rest().text
        return End(try process.wait(), written, complaints)
    }
}

extension DaemonProcess {
    /// Runs the client to its end.
    func client(_ words: String..., input: ClientProcess.Input = .none) throws -> ClientProcess.End {
        try ClientProcess(words, to: path, input: input).end()
    }
}

// The commands that the daemon answers itself, and how they are told apart from dokku's.
import DokkuProtocol

enum Builtin: Equatable, Sendable {
    case commands
    case refresh
    case version(AnswerFormat)
    case status(AnswerFormat)
    case queue(AnswerFormat)
    case cancel(job: UInt64)
    case signal(job: UInt64, SignalName)
    /// Also what has ended and is kept.
    case jobs(AnswerFormat)
    /// The words after the name are a command.
    case submit
    case wait(job: UInt64)
    case output(job: UInt64)
    case forget(job: UInt64)
    case events
    case help

    /// All facts about one built-in: its name, its words and its rights. `Builtins` makes its answer.
    struct Entry: Sendable {
        let name: StaticString
        /// As the help shows it; nil if it takes none.
        var argument: StaticString?
        let summary: StaticString
        /// If true, a read-only socket refuses it, and it is logged.
        var changesSomething = false
        /// If true, a read-only socket refuses it, because a command's output may hold secrets.
        var showsOutput = false
        /// Its answer may come later: it waits for the list of dokku's commands, for a job, or for its reader.
        var mayWait = false
        /// It ends with its client, so it must be streamed.
        var isEndless = false
    }

    var entry: Entry {
        switch self {
        case .commands:
            Entry(name: "commands", summary: "the names that dokku's help lists, one per line", mayWait: true)
        case .refresh:
            Entry(
                name: "refresh", summary: "read the list of dokku's commands again", changesSomething: true,
                mayWait: true)
        case .version:
            Entry(
                name: "daemon:version", argument: "[--format json]",
                summary: "the daemon's version; as JSON also its features")
        case .status:
            Entry(
                name: "daemon:status", argument: "[--format json]",
                summary: "start time, connections, commands, queue, and the list of dokku's commands")
        case .queue:
            Entry(
                name: "daemon:queue", argument: "[--format json]",
                summary: "the running and the waiting commands, one job per line, its number first")
        case .cancel:
            Entry(
                name: "daemon:cancel", argument: "N", summary: "end job N, or remove it from the queue",
                changesSomething: true)
        case .signal:
            Entry(
                name: "daemon:signal", argument: "N SIGNAL",
                summary: "send INT, QUIT, WINCH, HUP, TERM or KILL to job N of the same socket",
                changesSomething: true)
        case .jobs:
            Entry(
                name: "daemon:jobs", argument: "[--format json]",
                summary: "the kept results of submitted jobs, and what daemon:queue shows")
        case .submit:
            Entry(
                name: "daemon:submit", argument: "COMMAND...",
                summary: "run a command that outlives its client; the output is the job's number",
                changesSomething: true)
        case .wait:
            Entry(
                name: "daemon:wait", argument: "N",
                summary: "the result of the submitted job N, when it has ended",
                showsOutput: true, mayWait: true)
        case .output:
            Entry(
                name: "daemon:output", argument: "N", summary: "the output of the submitted job N until now",
                showsOutput: true, mayWait: true)
        case .forget:
            Entry(
                name: "daemon:forget", argument: "N", summary: "delete the result of the submitted job N",
                changesSomething: true)
        case .events:
            Entry(name: "daemon:events", summary: "what happens to jobs, as it happens", isEndless: true)
        case .help: Entry(name: "daemon:help", summary: "this list")
        }
    }

    /// All of them, in the order of the help.
    static let all: [Builtin] = [
        .commands, .refresh, .version(.text), .status(.text), .queue(.text), .jobs(.text), .cancel(job: 0),
        .signal(job: 0, .interrupt), .submit,
        .wait(job: 0), .output(job: 0), .forget(job: 0), .events, .help,
    ]

    /// The answer to `daemon:help`.
    static var helpText: String {
        let forms = all.map(\.entry).map { entry in
            (entry.argument.map { "\(entry.name) \($0)" } ?? "\(entry.name)", entry.summary)
        }
        let width = forms.lazy.map(\.0.utf8.count).max() ?? 0
        let lines = forms.map { form, summary in
            "    \(form)\(String(repeating: " ", count: width - form.utf8.count))  \(summary)"
        }
        return """
            Commands that the daemon answers itself:
            \(lines.joined(separator: "\n"))
            Any other command is dokku's: see `help`.
            """
    }

    /// The built-in whose name is word `index`; nil if the command is dokku's. It compares bytes and allocates
    /// nothing.
    ///
    /// Throws if the words after the name are wrong for it.
    static func matching(_ arguments: ArgumentList, at index: Int) throws(Refusal) -> Builtin? {
        guard let builtin = named(arguments, at: index) else { return nil }
        switch builtin {
        case .version: return .version(try AnswerFormat(arguments, after: index))
        case .status: return .status(try AnswerFormat(arguments, after: index))
        case .queue: return .queue(try AnswerFormat(arguments, after: index))
        case .jobs: return .jobs(try AnswerFormat(arguments, after: index))
        case .cancel: return .cancel(job: try jobNumber(arguments, after: index))
        case .signal:
            let (job, signal) = try jobAndSignal(arguments, after: index)
            return .signal(job: job, signal)
        case .wait: return .wait(job: try jobNumber(arguments, after: index))
        case .output: return .output(job: try jobNumber(arguments, after: index))
        case .forget: return .forget(job: try jobNumber(arguments, after: index))
        case .submit:
            if index + 1 < arguments.count { return .submit }
            throw .invalid("daemon:submit takes a command")
        case .commands, .refresh, .events, .help: break
        }
        guard index + 1 == arguments.count else {
            throw Refusal(code: .invalidRequest, text: "\(arguments.text(index)) takes no arguments")
        }
        return builtin
    }

    /// The built-in with this name, whatever follows it.
    static func named(_ arguments: ArgumentList, at index: Int) -> Builtin? {
        all.first { arguments.word(index, is: $0.entry.name) }
    }

    private static func jobNumber(_ arguments: ArgumentList, after index: Int) throws(Refusal) -> UInt64 {
        guard index + 2 == arguments.count, let job = decimal(arguments[index + 1]) else {
            throw Refusal(
                code: .invalidRequest,
                text: "\(arguments.text(index)) takes the number of one job, as daemon:jobs lists it")
        }
        return job
    }

    private static func jobAndSignal(
        _ arguments: ArgumentList, after index: Int
    ) throws(Refusal) -> (UInt64, SignalName) {
        guard index + 3 == arguments.count, let job = decimal(arguments[index + 1]),
            let signal = SignalName(rawValue: arguments.text(index + 2))
        else {
            throw .invalid(
                "daemon:signal takes the number of one job, and one of \(SignalName.list)")
        }
        return (job, signal)
    }

    /// Only digits: no sign, no blanks.
    private static func decimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard digits.count <= 20, digits.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else {
            return nil
        }
        return UInt64(String(decoding: digits, as: UTF8.self))
    }
}

// The commands that the daemon answers itself, and how they are told from dokku's.
import DokkuProtocol

enum Builtin: Equatable, Sendable {
    case commands
    case refresh
    case version
    case status
    case queue
    case cancel(job: UInt64)
    case help

    /// True for those that a read-only socket refuses.
    var changesSomething: Bool {
        switch self {
        case .refresh, .cancel: true
        case .commands, .version, .status, .queue, .help: false
        }
    }

    /// The built-in whose name is word `index`; nil is dokku's. Bytes are compared, nothing is allocated.
    ///
    /// Throws where the words after the name are not what it takes.
    static func matching(_ arguments: ArgumentList, at index: Int) throws(Refusal) -> Builtin? {
        guard let builtin = named(arguments, at: index) else { return nil }
        if case .cancel = builtin { return .cancel(job: try jobNumber(arguments, after: index)) }
        guard index + 1 == arguments.count else {
            throw Refusal(code: .invalidRequest, text: "\(arguments.text(index)) takes no arguments")
        }
        return builtin
    }

    /// By its name alone.
    static func named(_ arguments: ArgumentList, at index: Int) -> Builtin? {
        switch arguments[index].first {
        case UInt8(ascii: "d"):
            if arguments.word(index, is: "daemon:version") { return .version }
            if arguments.word(index, is: "daemon:status") { return .status }
            if arguments.word(index, is: "daemon:queue") { return .queue }
            if arguments.word(index, is: "daemon:cancel") { return .cancel(job: 0) }
            if arguments.word(index, is: "daemon:help") { return .help }
        case UInt8(ascii: "c"):
            if arguments.word(index, is: "commands") { return .commands }
        case UInt8(ascii: "r"):
            if arguments.word(index, is: "refresh") { return .refresh }
        default: break
        }
        return nil
    }

    private static func jobNumber(_ arguments: ArgumentList, after index: Int) throws(Refusal) -> UInt64 {
        guard index + 2 == arguments.count, let job = decimal(arguments[index + 1]) else {
            throw Refusal(
                code: .invalidRequest,
                text: "daemon:cancel takes the number of one job, as daemon:queue lists it")
        }
        return job
    }

    /// Digits alone: no sign, no blanks.
    private static func decimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard digits.count <= 20, digits.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else {
            return nil
        }
        return UInt64(String(decoding: digits, as: UTF8.self))
    }
}

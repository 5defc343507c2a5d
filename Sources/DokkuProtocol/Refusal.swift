/// The stable error words of the protocol. JSON replies carry them; plain replies carry only the text.
public enum ErrorCode: String, Sendable {
    case invalidRequest = "invalid_request"
    case invalidCommand = "invalid_command"
    case requiresForce = "requires_force"
    case requiresStdin = "requires_stdin"
    case notSupported = "not_supported"
    case denied
    case lineTooLong = "line_too_long"
    case inputTooLong = "input_too_long"
    case bufferFull = "buffer_full"
    case queueFull = "queue_full"
    case tooManyConnections = "too_many_connections"
    case spawnFailed = "spawn_failed"
    case aborted
    case inputFailed = "input_failed"
    case timeout
    case cancelled
    case shuttingDown = "shutting_down"
    case misconfigured
    case outputTruncated = "output_truncated"
    case storageFailed = "storage_failed"
    case interrupted
    case unknownJob = "unknown_job"
}

/// Why a request did not run, or did not run to its end: a word for programs and a line for people.
public struct Refusal: Error, Equatable, Sendable {
    public var code: ErrorCode
    public var text: String

    public init(code: ErrorCode, text: String) {
        self.code = code
        self.text = text
    }

    public static func invalid(_ text: String) -> Refusal { Refusal(code: .invalidRequest, text: text) }

    public static let invalidCommand = Refusal(code: .invalidCommand, text: "Invalid command")
    public static let notImplemented = Refusal(code: .notSupported, text: "Not implemented")
    public static let requiresForce = Refusal(code: .requiresForce, text: "Requires --force flag")
    public static let clientHasLeft = Refusal(code: .cancelled, text: "The client has closed its connection")
    public static let shuttingDown = Refusal(code: .shuttingDown, text: "The daemon is stopping")
    /// For a command that ran.
    public static let endedByStop = Refusal(
        code: .shuttingDown, text: "The daemon is stopping, and the command was ended")
    /// The answer to a discarded line; `limit` is the limit of a line's length in bytes.
    public static func skippedLine(_ fault: LineFramer.Fault, _ limit: Int) -> Refusal {
        switch fault {
        case .tooLong: Refusal(code: .lineTooLong, text: "The line is longer than \(limit) bytes")
        case .crowdedOut:
            Refusal(
                code: .bufferFull,
                text: "The line was discarded: the unfinished lines of all clients together are too large")
        case .unfinished: .shuttingDown
        }
    }

    public static func inputTooLong(_ limit: Int) -> Refusal {
        Refusal(
            code: .inputTooLong,
            text: "The input is longer than \(limit) bytes, or there is not enough room for it")
    }

    public static let tooManyConnections = Refusal(code: .tooManyConnections, text: "Too many connections")
    public static let queueFull = Refusal(code: .queueFull, text: "Too many commands are waiting")
    public static let memoryFull = Refusal(
        code: .queueFull, text: "The waiting requests together are too large")

    /// The answer to every request while the settings are wrong; nil if there are no faults.
    public static func misconfigured(_ faults: [String]) -> Refusal? {
        if faults.isEmpty { return nil }
        return Refusal(
            code: .misconfigured, text: "The daemon's settings are wrong: \(faults.joined(separator: "; "))")
    }
}

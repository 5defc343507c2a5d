// How a command is to run: one value from its request to its process.
import DokkuProtocol

/// What a command reads.
enum RunInput {
    case empty
    /// What came with the request.
    case spool(Spool)
    /// What is kept on disk.
    case kept(any InputReader)
    /// A file that is opened when the command starts.
    case file(Redirection)
}

/// Where a command's standard output goes.
enum RunOutput {
    /// To the client, with the reply.
    case reply
    /// To a file that is opened when the command starts.
    case file(Redirection)
}

struct RunRequest {
    var input = RunInput.empty
    var output = RunOutput.reply
    /// Two pipes, or one in which both outputs keep their order.
    var separatesStreams = false
    /// How long it may run; nil for ever.
    var timeout: Duration?
    /// Whether its job outlives its client.
    var isDetached = false
    /// The memory that the request holds while it waits.
    var reservation: Reservation?

    /// A line with a redirection, if it has one.
    init(_ redirection: Redirection? = nil) {
        guard let redirection else { return }
        switch redirection.direction {
        case .input: input = .file(redirection)
        case .output: output = .file(redirection)
        }
    }

    /// Whether a file of the host is written that the request names.
    var namesOutput: Bool {
        switch output {
        case .reply: false
        case .file: true
        }
    }

    var hasInput: Bool {
        switch input {
        case .empty: false
        case .spool, .kept, .file: true
        }
    }
}

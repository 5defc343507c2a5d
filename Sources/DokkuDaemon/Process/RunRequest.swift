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
    /// What the client reads itself.
    case passed(PassedFile)
}

/// Where a command's standard output goes.
enum RunOutput {
    /// To the client, with the reply.
    case reply
    /// To a file that is opened when the command starts.
    case file(Redirection)
    /// To where the client writes itself.
    case passed(PassedFile)
}

struct RunRequest {
    var input = RunInput.empty
    var output = RunOutput.reply
    /// Where the client writes its own errors; nil if they go to the client with the reply.
    var errors: PassedFile?
    /// The client's own terminal, if that is its input.
    var terminal: Terminal?
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
        case .reply, .passed: false
        case .file: true
        }
    }

    /// Whether all output comes with the reply.
    var repliesWithAll: Bool {
        switch output {
        case .reply: errors == nil
        case .file, .passed: false
        }
    }

    var hasInput: Bool {
        switch input {
        case .empty: false
        case .spool, .kept, .file, .passed: true
        }
    }
}

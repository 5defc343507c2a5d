// What is needed to run a kept job again.
import DokkuProtocol

struct StoredCommand {
    /// All but the words and the input.
    struct Form {
        var lane: Lane
        /// How long it may run; nil for ever.
        var timeout: Duration?
        var redirection: Redirection?
    }

    let words: ArgumentList
    let form: Form
    /// Whether an input is kept for it.
    let hasInput: Bool

    /// The command with this input, if it has one that is kept. Nil if the words are no command.
    func command(input: RunInput = .empty) -> Command? {
        guard let invocation = Invocation(words) else { return nil }
        var request = RunRequest(form.redirection)
        if hasInput { request.input = input }
        request.timeout = form.timeout
        request.separatesStreams = true
        request.isDetached = true
        return Command(invocation: invocation, lane: form.lane, request: request)
    }
}

extension StoredCommand.Form {
    init(_ command: Command) {
        self.init(
            lane: command.lane, timeout: command.request.timeout,
            redirection: command.request.redirection)
    }
}

extension RunRequest {
    /// The file that the request names.
    fileprivate var redirection: Redirection? {
        if case .file(let redirection) = input { return redirection }
        if case .file(let redirection) = output { return redirection }
        return nil
    }
}

extension ArgumentList {
    /// The words, each with a NUL at its end.
    var storedBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        for index in 0..<count {
            bytes += self[index]
            bytes.append(0)
        }
        return bytes
    }

    init(storedBytes bytes: [UInt8]) {
        self.init()
        for word in bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast() {
            append(word)
            endWord()
        }
    }
}

// Which of the client's three descriptors the daemon gets, so that the command itself reads and writes there.
import CClientShim
import DokkuProtocol
import Glibc

struct Handover {
    /// Standard input, output and error, or none.
    let descriptors: [Int32]
    /// The terminal that the command has as its own.
    let terminal: Terminal?
    /// Whether the client itself sends what comes on standard input.
    let sendsInput: Bool

    /// `givesInput` says whether the command gets standard input at all. If there is something to read from `interruption`, the
    /// daemon is not asked any longer.
    init(_ name: String, givesInput: Bool, to path: String, interruption: Int32) {
        let input = givesInput ? Standard.kind(Standard.input) : .other
        let hasFile = [Standard.output, Standard.error].map(Standard.kind).contains(.file) || input == .file
        let isConversation = CommandInput.isConversation(name)
        guard isConversation || hasFile, Features(of: path, interruption: interruption).contains(.descriptors)
        else {
            self = Handover(givesInput: givesInput)
            return
        }
        terminal = isConversation && input == .terminal ? Terminal(Standard.input) : nil
        // For a command of the queue, the daemon takes regular files alone: a pipe that stalls would hold the queue.
        sendsInput = !isConversation && (input == .pipe || input == .terminal)
        let isTheirs =
            isConversation ? input != .terminal || terminal != nil : sendsInput || input == .file
        // What is no regular file is no input.
        descriptors = [isTheirs ? Standard.input : client_ended_pipe(), Standard.output, Standard.error]
        if isConversation { descriptors.forEach(Self.makeBlocking) }
    }

    /// None: the output comes as events, and the input goes as chunks.
    init(givesInput: Bool) {
        descriptors = []
        terminal = nil
        sendsInput = givesInput && Standard.kind(Standard.input) != .other
    }

    /// Programs do not expect O_NONBLOCK, which the open file keeps from whoever had it before.
    private static func makeBlocking(_ descriptor: Int32) {
        let flags = fcntl(descriptor, F_GETFL)
        if flags >= 0, flags & O_NONBLOCK != 0 { _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) }
    }
}

// A request on its way through the dispatcher.
import DokkuProtocol

/// What was asked, by whom, and where the answer goes.
struct Incoming {
    let client: any Requester
    let responder: any Responder
    var arguments: ArgumentList
    var form: RequestForm
    /// Of a JSON request, if it has one.
    var id: RequestID?
    var request = RunRequest()
    /// Memory that it takes besides its words: its id, its input.
    var attachedBytes = 0

    /// Its memory while it waits, objects included.
    var memory: Int { Self.memory(of: arguments) + attachedBytes }

    static func memory(of arguments: ArgumentList) -> Int { 1024 + arguments.memory }
}

extension Incoming {
    /// Gives the request what has come with it. Whatever it does not use is closed.
    mutating func adopt(_ handOver: HandOver, _ asked: JSONRequest) throws(Refusal) {
        switch (handOver, asked.handsOverDescriptors) {
        case (.nothing, false): break
        case (.nothing, true): throw .invalid("No descriptors came with the first byte of the request")
        case (.refused(let refusal), _): throw refusal
        case (.streams, false): throw .uninvited
        case (.streams(let streams), true):
            form.hasDescriptors = true
            guard streams.input.isReadable else { throw .invalid("Descriptor 0 cannot be read") }
            if Invocation(arguments)?.isTalk == true {
                try useAll(streams, asked)
            } else {
                try useFiles(streams, asked)
            }
        }
    }

    private mutating func useAll(_ streams: PassedStreams, _ asked: JSONRequest) throws(Refusal) {
        if asked.input != nil {
            throw .invalid("The input of this command is descriptor 0, so stdin_chunks is one too many")
        }
        form.hasInput = streams.input.kind != .null
        request.input = .passed(streams.input)
        request.output = .passed(streams.output)
        request.errors = streams.errors
        request.terminal = Terminal(streams.input, name: asked.terminal)
    }

    /// A command of the queue holds up others. So it must not wait for whoever is at the other end of a pipe.
    private mutating func useFiles(_ streams: PassedStreams, _ asked: JSONRequest) throws(Refusal) {
        // At once, because the command may start now.
        for file in [streams.input, streams.output, streams.errors] where file.kind != .regular {
            file.close()
        }
        if streams.input.kind == .regular {
            if asked.input != nil {
                throw .invalid("Descriptor 0 is a file, so stdin_chunks is one input too many")
            }
            form.hasInput = true
            request.input = .passed(streams.input)
        }
        if streams.output.kind == .regular { request.output = .passed(streams.output) }
        if streams.errors.kind == .regular { request.errors = streams.errors }
    }
}

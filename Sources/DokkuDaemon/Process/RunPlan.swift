// What is started, and what it reads and writes.
import DokkuProtocol

/// The standard input of a child.
enum ChildInput {
    /// An empty file, because dokku takes a character device for a terminal.
    case empty
    case file(OpenFile)
    case passed(PassedFile)
    /// A pipe.
    case fed(InputSource)
}

/// The standard output of a child.
enum ChildOutput {
    case pipe
    /// A file, which the child empties when nothing else can go wrong any more.
    case emptied(OpenFile)
    case passed(PassedFile)

    var isPipe: Bool { if case .pipe = self { true } else { false } }
}

/// How to start a command.
struct RunPlan {
    var arguments: ArgumentList
    var identity = Identity.daemon
    var input = ChildInput.empty
    var output = ChildOutput.pipe
    /// Replaces the pipe for standard error.
    var errors: PassedFile?
    /// The input, if it is the client's terminal.
    var terminal: Terminal?
    /// Variables beside the usual ones.
    var variables: [String: String] = [:]
    /// Two pipes, or one pipe in which both outputs keep their order.
    var separatesStreams = false
    /// The lock that the child inherits; -1 for none.
    var lock: Int32 = -1
}

extension RunPlan {
    /// The child has its own copies of what the client has passed. The terminal is needed until its end.
    func releasePassed() {
        if case .passed(let file) = input, terminal == nil { file.close() }
        if case .passed(let file) = output { file.close() }
        errors?.close()
    }

    /// Opens the files of a request. Fails if one cannot be opened as what it is to be. `rules` are those of the
    /// socket that it came through.
    init(_ invocation: Invocation, _ request: RunRequest, _ rules: ListenerRules, lock: Int32) throws(Refusal)
    {
        let own = invocation.keepsRoot ? Identity.daemon : .systemUser
        self.init(
            arguments: invocation.arguments, identity: rules.user.map(Identity.keyHolder) ?? own,
            separatesStreams: request.separatesStreams, lock: lock)
        switch request.input {
        case .empty: break
        case .spool(let spool): input = .fed(.spool(spool))
        case .kept(let reader): input = .fed(.reader(reader))
        case .file(let redirection):
            let file = try redirection.open()
            input = invocation.readsOnlyPipes ? .fed(.file(file)) : .file(file)
        case .passed(let file):
            input = invocation.readsOnlyPipes && file.kind == .regular ? .fed(.passed(file)) : .passed(file)
        }
        switch request.output {
        case .reply: break
        case .file(let redirection): output = .emptied(try redirection.open())
        case .passed(let file): output = .passed(file)
        }
        errors = request.errors
        terminal = request.terminal
        if let terminal {
            variables["TERM"] = terminal.name
            // A terminal of a container has no name on the host, so dokku would not know it as one.
            if !invocation.refusesTerminal { variables["DOKKU_FORCE_TTY"] = "true" }
        }
    }
}

// What is started, and what it reads and writes.
import DokkuProtocol

/// The standard input of a child.
enum ChildInput {
    /// An empty file, because dokku takes a character device for a terminal.
    case empty
    case file(OpenFile)
    /// A pipe.
    case fed(InputSource)
}

/// The standard output of a child.
enum ChildOutput {
    case pipe
    /// A file, which the child empties when nothing else can go wrong any more.
    case emptied(OpenFile)

    var isPipe: Bool { if case .pipe = self { true } else { false } }
}

/// How to start a command.
struct RunPlan {
    var arguments: ArgumentList
    var identity = Identity.daemon
    var input = ChildInput.empty
    var output = ChildOutput.pipe
    /// Two pipes, or one pipe in which both outputs keep their order.
    var separatesStreams = false
    /// The lock that the child inherits; -1 for none.
    var lock: Int32 = -1
}

extension RunPlan {
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
        }
        switch request.output {
        case .reply: break
        case .file(let redirection): output = .emptied(try redirection.open())
        }
    }
}

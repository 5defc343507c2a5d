// What is started, and what it reads and writes.
import DokkuProtocol

/// What a child reads.
enum RunInput {
    /// An empty file: dokku takes a character device for a terminal.
    case empty
    case file(OpenFile)
    /// A pipe.
    case fed(InputSource)
}

/// How to start a command.
struct RunPlan {
    var arguments: ArgumentList
    var identity = Identity.daemon
    var input = RunInput.empty
    /// Where standard output goes instead of a pipe.
    var outputFile: OpenFile?
    /// Two pipes, or one in which both outputs keep their order.
    var separatesStreams = false
    /// The lock that the child inherits; -1 for none.
    var lock: Int32 = -1
}

// How the client ends, if not as the command did (sysexits.h).

enum ExitCode: Int32 {
    /// The command line is wrong, or dokku has no such command.
    case usage = 64
    /// No daemon answers.
    case unavailable = 69
    /// Something could not be read or written.
    case inputOutput = 74
    /// The daemon is busy or stopping.
    case tryAgain = 75
    case denied = 77
}

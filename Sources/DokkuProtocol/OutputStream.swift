// The two outputs of a command.

/// Which of a command's outputs bytes came from.
public enum OutputStream: Sendable {
    case standardOutput
    case standardError
}

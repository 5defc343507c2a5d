// The two outputs of a command.

/// Which output of a command the bytes came from.
public enum OutputStream: Sendable {
    case standardOutput
    case standardError
}

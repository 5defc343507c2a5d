/// What a client may ask for before it uses it: `daemon:version --format json` lists the names. Names are only ever
/// added, and docs/protocol.md says what each of them means.
public enum Feature: String, CaseIterable, Sendable {
    case standardInputInChunks = "stdin_chunks"
    case formatJSON = "format_json"
    case detach
    case events
    /// Only on a socket with the rule `descriptors`.
    case descriptors
    case signal
}

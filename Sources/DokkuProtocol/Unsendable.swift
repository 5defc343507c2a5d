/// Why a request cannot be written in the form that the client has chosen.
public enum Unsendable: Error, Equatable, Sendable {
    /// A word holds a NUL. No program can be given such a word.
    case nulByte
    /// A word holds a newline, which would end a plain line. A JSON request can carry it.
    case newline
    /// JSON is UTF-8. A plain line can carry other words, and `stdin_length` or `stdin_chunks` any input.
    case notUTF8
}

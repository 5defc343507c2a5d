// What the policy wants to know of a request beside its words.

/// How a request came, as far as it matters to whether it may run.
struct RequestForm: Sendable {
    /// A plain line, not a JSON request.
    var isPlain: Bool
    /// Events as they happen: what never ends may run.
    var isStreamed: Bool
    /// Standard input was given, be it empty: by `<`, `stdin` or `stdin_length`.
    var hasInput: Bool
    /// `<` or `>` stood on the line.
    var isRedirected: Bool
}

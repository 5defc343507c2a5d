// What the policy must know about a request besides its words.

/// The facts about a request's form that decide whether it may run.
struct RequestForm: Sendable {
    /// A plain line, not a JSON request.
    var isPlain: Bool
    /// The client gets events as they happen, so an endless command may run.
    var isStreamed: Bool
    /// Standard input was given, even if empty: by `<`, `stdin`, `stdin_length` or `stdin_chunks`, or as a descriptor.
    var hasInput: Bool
    /// The line has a `<` or `>`.
    var isRedirected: Bool
    /// The job is to outlive its client.
    var isDetached = false
    /// The client's own standard input, output and error came with it.
    var hasDescriptors = false
}

// One command that was judged, with all that it needs to run.

/// What is to be run, and how.
struct Command {
    var invocation: Invocation
    /// What logs and listings call it; nil: its words, without secrets.
    var title: String?
    var lane: Lane
    var request = RunRequest()
}

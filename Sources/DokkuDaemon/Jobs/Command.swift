// A judged command, with everything that it needs to run.

/// What to run, and how.
struct Command {
    var invocation: Invocation
    /// Its name in logs and listings. If nil: its words, without secrets.
    var title: String?
    var lane: Lane
    var request = RunRequest()
}

// One command that was judged, with all that it needs to run.
import DokkuProtocol

/// What is to be run, and how.
struct Command {
    var invocation: Invocation
    /// What logs and listings call it; nil: its words, without secrets.
    var title: String?
    var lane: Lane
    var input: Spool?
    var redirection: Redirection?
    var separatesStreams = false
    var timeout: Duration?
    /// For the memory that all of this takes.
    var reservation: Reservation?
}

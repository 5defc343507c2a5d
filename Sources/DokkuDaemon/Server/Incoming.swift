// A request on its way through the dispatcher.
import DokkuProtocol

/// What was asked, by whom, and where the answer goes.
struct Incoming {
    let client: any Requester
    let responder: any Responder
    let arguments: ArgumentList
    let form: RequestForm
    var redirection: Redirection?
    var input: Spool?
    var separatesStreams = false
    var timeout: Duration?
    /// What it holds in memory beside its words: its id, its input.
    var attachedBytes = 0
    /// For all that it holds, from when it has to wait.
    var reservation: Reservation?

    /// What it takes while it waits, objects and all.
    var memory: Int { 1024 + arguments.memory + attachedBytes }
}

// A request on its way through the dispatcher.
import DokkuProtocol

/// What was asked, by whom, and where the answer goes.
struct Incoming {
    let client: any Requester
    let responder: any Responder
    let arguments: ArgumentList
    let form: RequestForm
    var request = RunRequest()
    /// What it holds in memory beside its words: its id, its input.
    var attachedBytes = 0
    /// What it takes while it waits, objects and all.
    var memory: Int { 1024 + arguments.memory + attachedBytes }
}

// A request on its way through the dispatcher.
import DokkuProtocol

/// What was asked, by whom, and where the answer goes.
struct Incoming {
    let client: any Requester
    let responder: any Responder
    var arguments: ArgumentList
    var form: RequestForm
    /// Of a JSON request, if it has one.
    var id: RequestID?
    var request = RunRequest()
    /// Memory that it takes besides its words: its id, its input.
    var attachedBytes = 0

    /// Its memory while it waits, objects included.
    var memory: Int { Self.memory(of: arguments) + attachedBytes }

    static func memory(of arguments: ArgumentList) -> Int { 1024 + arguments.memory }
}

// Whose requests are taken, and who takes them.
import DokkuProtocol

/// A client, as far as its requests need one.
protocol Requester: ReplySink {
    var peer: Peer { get }
    var options: ListenerOptions { get }
    /// What its waiting requests may hold in memory.
    var words: Budget { get }
    /// Its place in the queue.
    var submitter: Submitter { get }
    /// Sends a whole reply to a plain line.
    func send(line: [UInt8])
    /// A request waits for its answer from here on.
    func didOpen(_ request: any OpenRequest)
    /// What follows the line taken last is the input of its request.
    func expectInput(_ form: RequestReader.InputForm, for sink: any InputSink)
    /// What follows the line taken last cannot be told apart: nothing more is taken.
    func expectNothing()
    /// The line taken last is a request that is judged before its input may come: nothing is taken meanwhile.
    func holdBack()
    /// That request was refused: no input follows it.
    func resume()
}

/// Makes requests of lines, and has them answered.
protocol RequestTaker: AnyObject {
    func take(_ line: ArraySlice<UInt8>, from client: any Requester)
    /// Refuses a line of which nothing is known but its form.
    func refuseLine(from client: any Requester, _ refusal: Refusal, isJSON: Bool)
    /// Answers the first line of who is not served, in the form that it has.
    func turnAway(_ line: ArraySlice<UInt8>, _ refusal: Refusal, from client: any Requester)
}

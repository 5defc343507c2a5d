// The client as requests need it, and the part that takes its requests.
import DokkuProtocol

/// A client, as far as its requests need it.
protocol Requester: ReplySink {
    /// Who sends the requests, as the log names them. The first use asks the kernel for more than the accept did, so
    /// only what is logged asks for it.
    var peer: Peer { get }
    var rules: ListenerRules { get }
    /// What its waiting requests may hold in memory.
    var words: Budget { get }
    /// Its place in the queue.
    var submitter: Submitter { get }
    /// Sends a whole reply to a plain line.
    func send(line: [UInt8])
    /// From now on this request waits for its answer.
    func didOpen(_ request: any OpenRequest)
    /// The input of the last line's request follows.
    func expectInput(_ form: RequestReader.InputForm, for sink: any InputSink)
    /// Nobody can tell what follows the last line, so nothing more is taken.
    func expectNothing()
    /// The last line is a request that is judged before its input may come. Nothing is taken meanwhile.
    func holdBack()
    /// No line is taken until `resume`. False if none is expected: then `resume` must not be called.
    func pause() -> Bool
    /// After `holdBack`, the request was refused: no input follows it.
    func resume()
}

/// Makes requests of lines, and has them answered.
protocol RequestTaker: AnyObject {
    func take(_ line: ArraySlice<UInt8>, with handOver: HandOver, from client: any Requester)
    /// Refuses a line of which only the form is known.
    func refuseLine(from client: any Requester, _ refusal: Refusal, isJSON: Bool)
    /// Answers the first line of a client that is not served, in the form of that line.
    func turnAway(_ line: ArraySlice<UInt8>, _ refusal: Refusal, from client: any Requester)
}

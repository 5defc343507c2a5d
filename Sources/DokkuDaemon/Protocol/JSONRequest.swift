/// A request in JSON, checked: only what the daemon knows and can do.
struct JSONRequest: Equatable, Sendable {
    enum Input: Equatable, Sendable {
        /// Given in the request itself; may be empty, which is input too.
        case bytes([UInt8])
        /// So many bytes follow the request's LF.
        case following(count: Int)
        /// It follows in chunks, once the client was told to go on.
        case chunks
    }

    enum Encoding: String, Sendable {
        case utf8 = "utf-8"
        case base64
    }

    var id: RequestID?
    /// At least one word.
    var command = ArgumentList()
    /// Whether events come before the last line.
    var isStreamed = false
    /// Nil where the command gets no input.
    var input: Input?
    var encoding = Encoding.utf8
    var stripsAnsi = false
    /// From the start of the run; at least 1 ms, at most 10^9 s.
    var timeout: Duration?
    /// Whether the command is cancelled when its client has gone.
    var endsWithClient = false

    /// Why a line is no request, with what could be read of it all the same: so that the answer has its id, and
    /// the body behind the line is not taken for requests.
    struct Fault: Error, Equatable {
        var refusal: Refusal
        var id: RequestID?
        var isStreamed = false
        /// How many bytes after the line belong to it; any size a client may claim.
        var followingBytes = 0
    }
}

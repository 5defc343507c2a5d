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
        var following = Following.nothing
    }

    /// What belongs to a line that is no request, and comes behind it.
    enum Following: Equatable {
        case nothing
        /// Any size that a client may claim.
        case bytes(Int)
        /// It announces an input, and does not say how long it is: nobody can tell where the next line begins.
        case unknown

        /// `length`: the value of `stdin_length`, if there is that key.
        init(length: JSONValue?) {
            guard let length, !length.isNull else {
                self = .nothing
                return
            }
            self = Self.count(length).map { $0 == 0 ? .nothing : .bytes($0) } ?? .unknown
        }

        /// A number of bytes; nil for any other value.
        static func count(_ value: JSONValue) -> Int? {
            value.integer.flatMap { Int(exactly: $0) }.flatMap { $0 >= 0 ? $0 : nil }
        }
    }
}

/// A request in JSON, checked: only what the daemon knows and can do.
public struct JSONRequest: Equatable, Sendable {
    public enum Input: Equatable, Sendable {
        /// Given in the request itself; may be empty, which is input too.
        case bytes([UInt8])
        /// So many bytes follow the request's LF.
        case following(count: Int)
        /// It follows in chunks, once the client was told to go on.
        case chunks
    }

    public enum Encoding: String, Sendable {
        case utf8 = "utf-8"
        case base64
    }

    public var id: RequestID?
    /// At least one word.
    public var command = ArgumentList()
    /// Whether events come before the last line.
    public var isStreamed = false
    /// Nil where the command gets no input.
    public var input: Input?
    public var encoding = Encoding.utf8
    public var stripsAnsi = false
    /// From the start of the run; at least 1 ms, at most 10^9 s.
    public var timeout: Duration?
    /// Whether the command is cancelled when its client has gone.
    public var endsWithClient = false

    /// Why a line is no request, with what could be read of it all the same: so that the answer has its id, and
    /// the body behind the line is not taken for requests.
    public struct Fault: Error, Equatable {
        public var refusal: Refusal
        public var id: RequestID?
        public var isStreamed = false
        public var following = Following.nothing

        public init(
            refusal: Refusal, id: RequestID? = nil, isStreamed: Bool = false, following: Following = .nothing
        ) {
            self.refusal = refusal
            self.id = id
            self.isStreamed = isStreamed
            self.following = following
        }
    }

    /// What belongs to a line that is no request, and comes behind it.
    public enum Following: Equatable, Sendable {
        case nothing
        /// Any size that a client may claim.
        case bytes(Int)
        /// It announces an input, and does not say how long it is: nobody can tell where the next line begins.
        case unknown

        /// `length`: the value of `stdin_length`, if there is that key.
        public init(length: JSONValue?) {
            guard let length, !length.isNull else {
                self = .nothing
                return
            }
            self = Self.count(length).map { $0 == 0 ? .nothing : .bytes($0) } ?? .unknown
        }

        /// A number of bytes; nil for any other value.
        public static func count(_ value: JSONValue) -> Int? {
            value.integer.flatMap { Int(exactly: $0) }.flatMap { $0 >= 0 ? $0 : nil }
        }
    }
}

/// A request in JSON. The decoder gives only what the daemon knows and can do.
public struct JSONRequest: Equatable, Sendable {
    public enum Input: Equatable, Sendable {
        /// Given in the request itself; may be empty, which is still an input.
        case bytes([UInt8])
        /// This number of bytes follows the request's LF.
        case following(count: Int)
        /// It follows in chunks, after the daemon has asked for it.
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
    /// Nil if the command gets no input.
    public var input: Input?
    public var encoding = Encoding.utf8
    public var stripsAnsi = false
    /// From the start of the run: 1 ms to 10^9 s.
    public var timeout: Duration?
    /// Whether the command is cancelled when its client leaves.
    public var endsWithClient = false
    /// Whether the answer is the number of the job, which outlives its client.
    public var isDetached = false
    /// Whether the client's standard input, output and error come as descriptors with the request's first byte.
    public var handsOverDescriptors = false
    /// The kind of the terminal that is handed over, as `TERM` names it. Only together with descriptors.
    public var terminal: String?

    public init(_ command: ArgumentList = []) { self.command = command }

    /// The longest name of a kind of terminal, in bytes.
    public static let terminalLimit = 64

    /// Whether a text may be a kind of terminal. It becomes a word of an environment, and the name of a file in
    /// terminfo's folders, so it has no slash.
    public static func isTerminal(_ name: some Collection<UInt8>) -> Bool {
        (1...terminalLimit).contains(name.count)
            && name.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                    UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Why a line is not a request, and what could still be read of it: the id for the answer, and the length of
    /// the input, so that no byte of the input is read as a request.
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

    /// The input that follows a line that is not a request.
    public enum Following: Equatable, Sendable {
        case nothing
        /// Whatever size the client announces.
        case bytes(Int)
        /// An input follows, but its length is unknown. So nobody can tell where the next line begins.
        case unknown

        /// `length` is the value of `stdin_length`, if there is that key.
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

// Splits what a client sends into lines, and the inputs that follow some of them, in the order of arrival. One
// state says what is read next, so that no byte of an input can be read as a line.
//
//   expected      gives                                    then expects
//   line          a line, or that one was discarded        a line. Nothing, if only one request is taken, if a
//                                                          discarded line began as JSON, or if a line announced an
//                                                          input of unknown length
//   decision      nothing, until the request is judged     a chunk's size, or the same as after an input
//   bytes         parts of the input, and its end          a line. Nothing, if only one request is taken
//   size, chunk   parts of the input; its end at size 0    the same. Nothing, after an invalid size
//   nothing       nothing, whatever comes

/// Receives the input of one request.
public protocol InputSink: AnyObject {
    func receive(_ bytes: ArraySlice<UInt8>)
    /// Called once. `receive` is not called after it.
    func end(_ end: InputEnd)
}

public enum InputEnd: Equatable {
    case complete
    /// The client will send no more. `missing` bytes have not come; nil if their number is unknown.
    case early(missing: Int?)
    /// The daemon is stopping and reads no more.
    case stopped
    /// A chunk's size is not a number.
    case malformed
    /// Something came with its bytes that cannot be skipped.
    case unreadable
}

public struct RequestReader {
    public enum Part {
        /// More bytes must come first, or the last line must be judged.
        case nothing
        case line(ArraySlice<UInt8>)
        case skippedLine(LineFramer.Fault, isJSON: Bool)
        case input(ArraySlice<UInt8>, for: any InputSink)
        case inputEnd(InputEnd, of: any InputSink)
    }

    /// How an input follows its line.
    public enum InputForm {
        case bytes(Int)
        /// `SIZE`, a newline and that number of bytes, again and again until the size is 0.
        case chunks
    }

    /// What happens to the bytes after the last newline.
    public enum Rest { case isLine, isDropped, isRefused }

    @usableFromInline enum Expected {
        case line
        case decision
        case bytes(Int, any InputSink)
        case size(any InputSink)
        case chunk(Int, any InputSink)
        case nothing
    }

    /// The longest line of a size: the digits of the largest number, and a carriage return.
    private static let sizeLimit = 20

    /// Only one line and its input are taken.
    public let takesOneRequest: Bool
    private var framer: LineFramer
    @usableFromInline var expected = Expected.line
    /// Whether `append` will not be called again.
    public private(set) var hasEnded = false

    public init(lineLimit: Int, takesOneRequest: Bool) {
        self.takesOneRequest = takesOneRequest
        framer = LineFramer(maximumLength: lineLimit)
    }

    /// Bytes that have come but were not handed out.
    public var bufferedBytes: Int { framer.bufferedBytes }
    public var allocatedBytes: Int { framer.allocatedBytes }

    /// True if nothing more will be handed out, whatever comes.
    @inlinable public var isOver: Bool { if case .nothing = expected { true } else { false } }

    /// True while a request waits to be judged, and nothing after it may be read.
    @inlinable public var isUndecided: Bool { if case .decision = expected { true } else { false } }

    @inlinable public var expectsInput: Bool {
        switch expected {
        case .bytes, .size, .chunk: true
        case .line, .decision, .nothing: false
        }
    }

    /// Whether the next byte begins a line, and none is waiting.
    public var isAtLineStart: Bool {
        if case .line = expected { bufferedBytes == 0 && !framer.hasUnfinishedLine } else { false }
    }

    /// Whether an incomplete line has begun. Ask this when `next` gives nothing.
    public var hasBegunLine: Bool { if case .line = expected { framer.hasUnfinishedLine } else { false } }

    // MARK: Bytes

    public mutating func append(_ bytes: Span<UInt8>) {
        if !isOver { framer.append(bytes) }
    }

    /// Discards an unfinished line, with what will still come of it. The bytes of an input are not a line, so they
    /// stay.
    public mutating func dropUnfinishedLine() {
        if case .line = expected { framer.skipCurrentLine(.crowdedOut) }
    }

    /// Nothing more will come. Call this when `next` gives nothing; afterwards `next` gives the rest as `rest`
    /// says. Returns the number of dropped bytes.
    public mutating func end(_ rest: Rest) -> Int {
        hasEnded = true
        switch rest {
        case .isLine: return 0
        case .isDropped: return framer.dropRest()
        case .isRefused:
            framer.skipCurrentLine(.unfinished)
            return 0
        }
    }

    public mutating func next() -> Part {
        if case .line = expected { return nextLine() }
        return nextOther()
    }

    private mutating func nextOther() -> Part {
        while true {
            switch expected {
            case .line: return nextLine()
            case .decision: return .nothing
            case .bytes(0, let sink): return endInput(.complete, of: sink)
            case .bytes(let missing, let sink):
                return take(missing, for: sink, .early(missing: missing)) { .bytes($0, sink) }
            case .chunk(0, let sink): expected = .size(sink)
            case .chunk(let missing, let sink):
                return take(missing, for: sink, .early(missing: nil)) { .chunk($0, sink) }
            case .size(let sink):
                switch framer.takeShort(Self.sizeLimit) {
                case .unfinished: return hasEnded ? endInput(.early(missing: nil), of: sink) : .nothing
                case .tooLong: return endInput(.malformed, of: sink)
                case .line(let line):
                    guard let size = Self.size(line) else { return endInput(.malformed, of: sink) }
                    if size == 0 { return endInput(.complete, of: sink) }
                    expected = .chunk(size, sink)
                }
            case .nothing: return nothing()
            }
        }
    }

    private mutating func nothing() -> Part {
        expected = .nothing
        if framer.bufferedBytes > 0 { framer = LineFramer(maximumLength: 0) }
        return .nothing
    }

    private mutating func nextLine() -> Part {
        switch hasEnded ? framer.finish() : framer.next() {
        case nil: return hasEnded ? nothing() : .nothing
        case .line(let line):
            if takesOneRequest { expected = .nothing }
            return .line(line)
        case .skipped(let fault, let isJSON):
            // A JSON request may have announced an input, so nobody can tell where the next request begins.
            if takesOneRequest || isJSON { expected = .nothing }
            return .skippedLine(fault, isJSON: isJSON)
        }
    }

    // MARK: Input

    /// The last line is a request whose input follows.
    public mutating func expect(_ form: InputForm, for sink: any InputSink) {
        switch form {
        case .bytes(let count): expected = .bytes(count, sink)
        case .chunks: expected = .size(sink)
        }
    }

    /// Nobody can tell what follows the last line.
    public mutating func expectNothing() { _ = nothing() }

    /// The last line is a request that is judged before its input may come.
    public mutating func holdBack() { expected = .decision }

    /// Gives no line until `resume`. False if no line is expected: then `resume` must not be called.
    public mutating func pause() -> Bool {
        guard case .line = expected else { return false }
        expected = .decision
        return true
    }

    /// Gives lines again. After `holdBack`: the request was refused, and no input follows it.
    public mutating func resume() { if isUndecided { expected = behindInput } }

    /// Reads nothing more, and returns the sink of an unfinished input.
    public mutating func stop() -> (any InputSink)? {
        defer { _ = nothing() }
        switch expected {
        case .bytes(_, let sink), .size(let sink), .chunk(_, let sink): return sink
        case .line, .decision, .nothing: return nil
        }
    }

    private var behindInput: Expected { takesOneRequest ? .nothing : .line }

    private mutating func endInput(_ end: InputEnd, of sink: any InputSink) -> Part {
        expected = end == .complete ? behindInput : .nothing
        return .inputEnd(end, of: sink)
    }

    private mutating func take(
        _ missing: Int, for sink: any InputSink, _ early: InputEnd, _ expecting: (Int) -> Expected
    ) -> Part {
        let bytes = framer.takeBody(missing)
        if bytes.isEmpty { return hasEnded ? endInput(early, of: sink) : .nothing }
        expected = expecting(missing - bytes.count)
        return .input(bytes, for: sink)
    }

    /// Decimal digits; nil for anything else, or if Int cannot hold the number.
    private static func size(_ line: ArraySlice<UInt8>) -> Int? {
        let digits = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        guard !digits.isEmpty else { return nil }
        var size = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            let (tenfold, hasTenfold) = size.multipliedReportingOverflow(by: 10)
            let (sum, hasSum) = tenfold.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
            if hasTenfold || hasSum { return nil }
            size = sum
        }
        return size
    }
}

// Cuts what a client sends into lines, and hands out the raw bytes between them where a request carries a body.
// Linear in the bytes whatever their cut, and without any buffer while nothing is waiting.

import CJansson

/// The bytes that a connection has received and nobody has consumed yet.
///
/// A line is judged too long only when the lines before it were taken: until then the bytes behind them may turn
/// out to be a body. So between two calls of `append` call `next` until it gives nil, or append no more while
/// lines are waiting.
public struct LineFramer {
    public enum Event: Equatable {
        /// Without its LF, and without one CR before that.
        case line(ArraySlice<UInt8>)
        /// A line that was thrown away has ended. All that is known of it is whether it began as a JSON request does.
        case skipped(Fault, isJSON: Bool)
    }

    /// Why a line was thrown away.
    public enum Fault: Equatable {
        /// It is longer than a line may be.
        case tooLong
        /// All clients together hold too much of unfinished lines.
        case crowdedOut
        /// Nothing more is taken, and it was not finished.
        case unfinished
    }

    /// The most bytes a line may have before its LF, a CR there not counted.
    public let maximumLength: Int

    private var buffer: [UInt8] = []
    /// Everything before this index is consumed.
    private var head = 0
    /// Where the unfinished line starts: behind the last LF.
    private var unfinished = 0
    /// The unfinished line while it is being thrown away. Then `buffer` is empty.
    private var skipped: Skipped?
    /// Set while the first byte in `buffer` is the LF of a line whose other bytes were thrown away.
    private var endOfSkipped: Skipped?

    /// A line that is thrown away as it comes.
    private struct Skipped {
        var fault: Fault
        /// How much of it has come.
        var count: Int
        /// Whether it began as JSON, if a byte said so.
        var isJSON: Bool?

        var event: Event { .skipped(fault, isJSON: isJSON ?? false) }
    }

    public init(maximumLength: Int) { self.maximumLength = maximumLength }

    /// The bytes held: complete lines that nobody took, and the unfinished one.
    public var bufferedBytes: Int { buffer.count - head }

    /// Bytes of memory that they take.
    public var allocatedBytes: Int { buffer.capacity }

    /// Whether `next` has an event that does not depend on more bytes.
    public var hasCompleteLine: Bool { head < unfinished }

    /// Whether bytes of a line have come, and not yet its end.
    public var hasUnfinishedLine: Bool { skipped != nil || buffer.count > unfinished }

    public mutating func append(_ bytes: Span<UInt8>) {
        if head > 0, head >= bufferedBytes { compact() }
        bytes.withUnsafeBufferPointer { bytes in
            var rest = bytes[...]
            if var line = skipped {
                let end = rest.firstIndex(ofByte: UInt8(ascii: "\n"))
                if line.isJSON == nil { line.isJSON = Self.isJSON(rest[..<(end ?? rest.endIndex)]) }
                line.count += rest.count
                skipped = end == nil ? line : nil
                guard let end else { return }
                endOfSkipped = line
                rest = rest[end...]
            }
            let start = buffer.count
            buffer.append(contentsOf: rest)
            if let last = rest.lastIndex(ofByte: UInt8(ascii: "\n")) {
                unfinished = start + (last - rest.startIndex) + 1
            }
        }
    }

    /// The next line that is complete; nil when more bytes must come first.
    public mutating func next() -> Event? {
        guard hasCompleteLine else {
            if isTooLong(unfinished..<buffer.count) { skipCurrentLine(.tooLong) }
            if head > 0 { compact() }
            return nil
        }
        let start = head
        let end = buffer.withUnsafeBufferPointer { $0[start...].firstIndex(ofByte: UInt8(ascii: "\n")) }
        guard let end else { preconditionFailure("a complete line has an LF") }
        let event: Event
        if let endOfSkipped { event = endOfSkipped.event } else { event = line(start..<end) }
        consume(upTo: end + 1)
        return event
    }

    /// To be called once the client has sent its last byte: what `next` would give, and at the end the bytes
    /// behind the last LF as a line of their own. Nil when nothing is left.
    public mutating func finish() -> Event? {
        if let event = next() { return event }
        if let line = skipped {
            skipped = nil
            return line.event
        }
        guard bufferedBytes > 0 else { return nil }
        let event = line(head..<buffer.count)
        consume(upTo: buffer.count)
        return event
    }

    /// Throws the unfinished line away; returns how many bytes it had so far. Complete lines stay.
    public mutating func dropRest() -> Int {
        let dropped = (skipped?.count ?? 0) + buffer.count - unfinished
        skipped = nil
        buffer.removeLast(buffer.count - unfinished)
        if buffer.count == head { consume(upTo: head) }
        return dropped
    }

    /// Throws away what has come of the unfinished line and what will come, so that it takes no memory. Without
    /// effect where no byte of a line is waiting, and behind complete lines: after them it may be a body, of which
    /// no byte may be lost.
    public mutating func skipCurrentLine(_ fault: Fault) {
        let count = buffer.count - unfinished
        guard count > 0, !hasCompleteLine else { return }
        skipped = Skipped(fault: fault, count: count, isJSON: Self.isJSON(buffer[unfinished...]))
        consume(upTo: buffer.count)
    }

    /// Consumes up to `count` of the bytes that are here, whatever they are. For what follows a request's line:
    /// to be called before the next `next`.
    public mutating func takeBody(_ count: Int) -> ArraySlice<UInt8> {
        let end = head + min(count, bufferedBytes)
        let body = buffer[head..<end]
        consume(upTo: end)
        return body
    }

    /// What `takeShort` finds.
    public enum ShortLine {
        /// Without its LF.
        case line(ArraySlice<UInt8>)
        case tooLong
        /// More bytes must come first.
        case unfinished
    }

    /// Consumes one line of at most `limit` bytes, in the place of a body: to be called before the next `next`.
    public mutating func takeShort(_ limit: Int) -> ShortLine {
        let window = buffer[head...].prefix(limit + 1)
        guard let end = window.firstIndex(of: UInt8(ascii: "\n")) else {
            return window.count > limit ? .tooLong : .unfinished
        }
        consume(upTo: end + 1)
        return .line(window[..<end])
    }

    /// Inlined: a call would copy the framer.
    @inline(__always)
    private func line(_ range: Range<Int>) -> Event {
        if isTooLong(range) { return .skipped(.tooLong, isJSON: Self.beginsJSON(buffer[range])) }
        return .line(buffer[range.lowerBound..<range.upperBound - (endsInReturn(range) ? 1 : 0)])
    }

    private func isTooLong(_ range: Range<Int>) -> Bool {
        range.count > maximumLength && range.count - (endsInReturn(range) ? 1 : 0) > maximumLength
    }

    private func endsInReturn(_ range: Range<Int>) -> Bool {
        range.count > 0 && buffer[range.upperBound - 1] == UInt8(ascii: "\r")
    }

    /// A line whose first byte that is no blank is `{` is a JSON request.
    @inlinable public static func beginsJSON(_ line: ArraySlice<UInt8>) -> Bool {
        if let first = line.first, first > UInt8(ascii: " ") { return first == UInt8(ascii: "{") }
        return isJSON(line) ?? false
    }

    /// Nil where only blanks are there yet.
    @usableFromInline static func isJSON(_ line: some Sequence<UInt8>) -> Bool? {
        line.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }.map { $0 == UInt8(ascii: "{") }
    }

    private mutating func consume(upTo index: Int) {
        head = index
        unfinished = max(unfinished, head)
        endOfSkipped = nil
        guard head == buffer.count else { return }
        // An idle connection keeps no memory; a slice that was handed out keeps its own hold of the buffer.
        buffer = []
        head = 0
        unfinished = 0
    }

    /// Moves what is left into a buffer of its size. Linear over all: an unfinished line moves again only when
    /// it was consumed in part, complete ones only when at least as much was consumed before them.
    private mutating func compact() {
        buffer = Array(buffer[head...])
        unfinished -= head
        head = 0
    }
}

extension Slice<UnsafeBufferPointer<UInt8>> {
    /// Many times faster than `firstIndex(of:)`, also in a debug build.
    fileprivate func firstIndex(ofByte byte: UInt8) -> Int? {
        guard let start = base.baseAddress, let found = bytes_find(start + startIndex, byte, count) else {
            return nil
        }
        return found - UnsafeRawPointer(start)
    }

    /// From the end, where it is found soon.
    fileprivate func lastIndex(ofByte byte: UInt8) -> Int? {
        var index = endIndex
        while index > startIndex {
            index -= 1
            if base[index] == byte { return index }
        }
        return nil
    }
}

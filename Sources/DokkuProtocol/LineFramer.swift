// Cuts what a client sends into lines, and hands out the raw bytes after a line if its request carries a body. It
// takes linear time however the bytes are cut, and has no buffer while nothing is waiting.

import CJansson

/// The received bytes of a connection that have not been consumed.
///
/// A line is judged too long only after all lines before it are taken, because until then its bytes may turn out to
/// be a body. So between two calls of `append`, call `next` until it returns nil, or do not append while lines are
/// waiting.
public struct LineFramer {
    public enum Event: Equatable {
        /// Without its LF, and without one CR before the LF.
        case line(ArraySlice<UInt8>)
        /// The end of a discarded line. All that is known of the line is whether it began as a JSON request does.
        case skipped(Fault, isJSON: Bool)
    }

    /// Why a line was discarded.
    public enum Fault: Equatable {
        /// It is longer than the limit.
        case tooLong
        /// The unfinished lines of all clients together are too large.
        case crowdedOut
        /// It was not finished when the daemon stopped reading.
        case unfinished
    }

    /// The limit of a line's length in bytes, without its LF and one CR before that.
    public let maximumLength: Int

    private var buffer: [UInt8] = []
    /// Everything before this index is consumed.
    private var head = 0
    /// The index after the last LF, at which the unfinished line starts.
    private var unfinished = 0
    /// The unfinished line while it is being discarded. Then `buffer` is empty.
    private var skipped: Skipped?
    /// Set while the first byte in `buffer` is the LF of a line whose other bytes were discarded.
    private var endOfSkipped: Skipped?

    /// A line that is being discarded.
    private struct Skipped {
        var fault: Fault
        /// Its bytes so far.
        var count: Int
        /// Whether it began as JSON; nil while only blanks have come.
        var isJSON: Bool?

        var event: Event { .skipped(fault, isJSON: isJSON ?? false) }
    }

    public init(maximumLength: Int) { self.maximumLength = maximumLength }

    /// Bytes held: complete lines that were not taken, and the unfinished line.
    public var bufferedBytes: Int { buffer.count - head }

    /// Bytes of memory that they take.
    public var allocatedBytes: Int { buffer.capacity }

    /// Whether `next` can give an event without more bytes.
    public var hasCompleteLine: Bool { head < unfinished }

    /// Whether bytes of a line have come, but not its end.
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

    /// The next complete line; nil if more bytes must come first.
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

    /// Call it once the client has sent its last byte. It gives what `next` would give, and then the bytes after
    /// the last LF as a line. Nil if nothing is left.
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

    /// Discards the unfinished line and returns the number of its bytes so far. Complete lines stay.
    public mutating func dropRest() -> Int {
        let dropped = (skipped?.count ?? 0) + buffer.count - unfinished
        skipped = nil
        buffer.removeLast(buffer.count - unfinished)
        if buffer.count == head { consume(upTo: head) }
        return dropped
    }

    /// Discards the unfinished line, both what has come and what will come, so that it takes no memory. Does
    /// nothing if no byte of a line is waiting, or if complete lines come before it: it may be a body then, and no
    /// byte of a body may be lost.
    public mutating func skipCurrentLine(_ fault: Fault) {
        let count = buffer.count - unfinished
        guard count > 0, !hasCompleteLine else { return }
        skipped = Skipped(fault: fault, count: count, isJSON: Self.isJSON(buffer[unfinished...]))
        consume(upTo: buffer.count)
    }

    /// Consumes up to `count` of the bytes held, whatever they are. Call it for a request's body, before the next
    /// `next`.
    public mutating func takeBody(_ count: Int) -> ArraySlice<UInt8> {
        let end = head + min(count, bufferedBytes)
        let body = buffer[head..<end]
        consume(upTo: end)
        return body
    }

    /// The result of `takeShort`.
    public enum ShortLine {
        /// Without its LF.
        case line(ArraySlice<UInt8>)
        case tooLong
        /// More bytes must come first.
        case unfinished
    }

    /// Consumes one line of at most `limit` bytes in the place of a body. Call it before the next `next`.
    public mutating func takeShort(_ limit: Int) -> ShortLine {
        let window = buffer[head...].prefix(limit + 1)
        guard let end = window.firstIndex(of: UInt8(ascii: "\n")) else {
            return window.count > limit ? .tooLong : .unfinished
        }
        consume(upTo: end + 1)
        return .line(window[..<end])
    }

    /// Inlined, because a call would copy the framer.
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

    /// A line is a JSON request if its first byte after blanks is `{`.
    @inlinable public static func beginsJSON(_ line: ArraySlice<UInt8>) -> Bool {
        if let first = line.first, first > UInt8(ascii: " ") { return first == UInt8(ascii: "{") }
        return isJSON(line) ?? false
    }

    /// Nil if only blanks have come so far.
    @usableFromInline static func isJSON(_ line: some Sequence<UInt8>) -> Bool? {
        line.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }.map { $0 == UInt8(ascii: "{") }
    }

    private mutating func consume(upTo index: Int) {
        head = index
        unfinished = max(unfinished, head)
        endOfSkipped = nil
        guard head == buffer.count else { return }
        // An idle connection keeps no memory. A slice that was handed out keeps the buffer by itself.
        buffer = []
        head = 0
        unfinished = 0
    }

    /// Moves the rest into a buffer of its size. All moves together take linear time: an unfinished line is moved
    /// again only after a part of it was consumed, complete lines only after at least as many bytes before them
    /// were consumed.
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

    /// Searches from the end, because the last LF is usually near it.
    fileprivate func lastIndex(ofByte byte: UInt8) -> Int? {
        var index = endIndex
        while index > startIndex {
            index -= 1
            if base[index] == byte { return index }
        }
        return nil
    }
}

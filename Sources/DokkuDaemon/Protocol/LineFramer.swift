// Cuts what a client sends into lines, and hands out the raw bytes between them where a request carries a body.
// Linear in the bytes whatever their cut, and without any buffer while nothing is waiting.

import Glibc

/// The bytes that a connection has received and nobody has consumed yet.
///
/// A line is judged too long only when the lines before it were taken: until then the bytes behind them may turn
/// out to be a body. So between two calls of `append` call `next` until it gives nil, or append no more while
/// lines are waiting.
struct LineFramer {
    enum Event: Equatable {
        /// Without its LF, and without one CR before that.
        case line(ArraySlice<UInt8>)
        /// A line beyond the limit has ended; its bytes are gone. All that is known of it is whether it began as
        /// a JSON request does.
        case tooLong(isJSON: Bool)
    }

    /// The most bytes a line may have before its LF.
    let maximumLength: Int

    private var buffer: [UInt8] = []
    /// Everything before this index is consumed.
    private var head = 0
    /// Where the unfinished line starts: behind the last LF.
    private var unfinished = 0
    /// While the unfinished line is being thrown away: how much of it was, so far, and whether it began as JSON,
    /// if a byte said so. Then `buffer` is empty.
    private var skipped: (count: Int, isJSON: Bool?)?
    /// Set while the first byte in `buffer` is the LF of a line whose other bytes were thrown away: whether that began
    /// as JSON.
    private var endOfSkipped: Bool?

    init(maximumLength: Int) { self.maximumLength = maximumLength }

    /// The bytes held: complete lines that nobody took, and the unfinished one.
    var bufferedBytes: Int { buffer.count - head }

    /// Whether `next` has an event that does not depend on more bytes.
    var hasCompleteLine: Bool { head < unfinished }

    mutating func append(_ bytes: Span<UInt8>) {
        if head > 0, head >= bufferedBytes { compact() }
        bytes.withUnsafeBufferPointer { bytes in
            var rest = bytes[...]
            if let line = skipped {
                let end = rest.firstIndex(ofByte: UInt8(ascii: "\n"))
                let isJSON = line.isJSON ?? Self.isJSON(rest[..<(end ?? rest.endIndex)])
                guard let end else {
                    skipped = (line.count + rest.count, isJSON)
                    return
                }
                skipped = nil
                endOfSkipped = isJSON ?? false
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
    mutating func next() -> Event? {
        guard hasCompleteLine else {
            if buffer.count - unfinished > maximumLength { skipCurrentLine() }
            if head > 0 { compact() }
            return nil
        }
        let start = head
        let end = buffer.withUnsafeBufferPointer { $0[start...].firstIndex(ofByte: UInt8(ascii: "\n")) }
        guard let end else { preconditionFailure("a complete line has an LF") }
        let event = if let isJSON = endOfSkipped { Event.tooLong(isJSON: isJSON) } else { line(start..<end) }
        consume(upTo: end + 1)
        return event
    }

    /// To be called once the client has sent its last byte: what `next` would give, and at the end the bytes
    /// behind the last LF as a line of their own. Nil when nothing is left.
    mutating func finish() -> Event? {
        if let event = next() { return event }
        if let line = skipped {
            skipped = nil
            return .tooLong(isJSON: line.isJSON ?? false)
        }
        guard bufferedBytes > 0 else { return nil }
        let event = line(head..<buffer.count)
        consume(upTo: buffer.count)
        return event
    }

    /// Throws the unfinished line away; returns how many bytes it had so far. Complete lines stay.
    mutating func dropRest() -> Int {
        let dropped = (skipped?.count ?? 0) + buffer.count - unfinished
        skipped = nil
        buffer.removeLast(buffer.count - unfinished)
        if buffer.count == head { consume(upTo: head) }
        return dropped
    }

    /// Makes the unfinished line one that is too long, so that it takes no memory. Without effect where no byte
    /// of a line is waiting, and behind complete lines: after them it may be a body, of which no byte may be lost.
    mutating func skipCurrentLine() {
        let count = buffer.count - unfinished
        guard count > 0, !hasCompleteLine else { return }
        skipped = (count, Self.isJSON(buffer[unfinished...]))
        consume(upTo: buffer.count)
    }

    /// Consumes up to `count` of the bytes that are here, whatever they are. For what follows a request's line:
    /// to be called before the next `next`.
    mutating func takeBody(_ count: Int) -> ArraySlice<UInt8> {
        let end = head + min(count, bufferedBytes)
        let body = buffer[head..<end]
        consume(upTo: end)
        return body
    }

    private func line(_ range: Range<Int>) -> Event {
        guard range.count <= maximumLength else { return .tooLong(isJSON: Self.beginsJSON(buffer[range])) }
        let endsInReturn = range.count > 0 && buffer[range.upperBound - 1] == UInt8(ascii: "\r")
        return .line(buffer[range.lowerBound..<range.upperBound - (endsInReturn ? 1 : 0)])
    }

    /// A line whose first byte that is no blank is `{` is a JSON request.
    static func beginsJSON(_ line: ArraySlice<UInt8>) -> Bool {
        if let first = line.first, first > UInt8(ascii: " ") { return first == UInt8(ascii: "{") }
        return isJSON(line) ?? false
    }

    /// Nil where only blanks are there yet.
    private static func isJSON(_ line: some Sequence<UInt8>) -> Bool? {
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
    /// memchr(3): many times faster than `firstIndex(of:)`, also in a debug build.
    fileprivate func firstIndex(ofByte byte: UInt8) -> Int? {
        guard let start = base.baseAddress, let found = memchr(start + startIndex, Int32(byte), count) else {
            return nil
        }
        return UnsafeRawPointer(found) - UnsafeRawPointer(start)
    }

    /// From the end, where it is found soon: the Glibc module lacks memrchr(3).
    fileprivate func lastIndex(ofByte byte: UInt8) -> Int? {
        var index = endIndex
        while index > startIndex {
            index -= 1
            if base[index] == byte { return index }
        }
        return nil
    }
}

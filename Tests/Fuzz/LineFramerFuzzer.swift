// LineFramer: lines, bodies and skipped lines come out the same however the bytes are cut and taken. A line that
// starts with `b` and a digit announces a body of so many bytes; a chunk of five bytes has the line cut short.

@testable import DokkuDaemon
@testable import DokkuProtocol

private enum Piece: Equatable {
    case line([UInt8])
    case skipped(isJSON: Bool)
    case body([UInt8])
}

private func bodyLength(_ line: ArraySlice<UInt8>) -> Int? {
    guard line.count == 2, line.first == UInt8(ascii: "b"), let digit = line.last,
        (0x30...0x39).contains(digit)
    else { return nil }
    return Int(digit - 0x30)
}

/// Looks at the whole at once, a byte after the other. `skips`: where the input stood when a line was cut short.
private func reference(_ content: [UInt8], limit: Int, skips: Set<Int>) -> [Piece] {
    var pieces: [Piece] = []
    var start = 0
    while start < content.count {
        let end = content[start...].firstIndex(of: 0x0A) ?? content.count
        var line = content[start..<end]
        let length = line.count - (line.last == 0x0D ? 1 : 0)
        if length > limit || skips.contains(where: { start < $0 && $0 <= end }) {
            let first = line.first { $0 != 0x20 && $0 != 0x09 }
            pieces.append(.skipped(isJSON: first == 0x7B))
            start = end + 1
            continue
        }
        start = end + 1
        if line.last == 0x0D { line.removeLast() }
        pieces.append(.line(Array(line)))
        if let length = bodyLength(line), end < content.count {
            let bodyEnd = min(start + length, content.count)
            pieces.append(.body(Array(content[start..<bodyEnd])))
            start = bodyEnd
        }
    }
    return pieces
}

/// Takes pieces as the daemon does, and asks for more bytes when a piece is not whole.
private struct PieceReader {
    var framer: LineFramer
    var pieces: [Piece] = []
    /// What is still to come of a body.
    var missing = 0

    /// One piece, or a part of a body; false when nothing can be taken.
    mutating func take(atEnd: Bool) -> Bool {
        if missing > 0 {
            let part = framer.takeBody(missing)
            guard !part.isEmpty, case .body(let body) = pieces.popLast() else { return false }
            missing -= part.count
            pieces.append(.body(body + part))
            return true
        }
        let isWhole = framer.hasCompleteLine
        switch atEnd ? framer.finish() : framer.next() {
        case nil: return false
        case .skipped(_, let isJSON): pieces.append(.skipped(isJSON: isJSON))
        case .line(let line):
            pieces.append(.line(Array(line)))
            guard isWhole, let length = bodyLength(line) else { break }
            missing = length
            pieces.append(.body([]))
        }
        return true
    }
}

func fuzzLineFramer(_ bytes: [UInt8]) throws {
    let input = FuzzInput(bytes)
    let limit = input.choices[7] < 200 ? Int(input.choices[7] % 12) : 1000
    let isLazy = input.choices[6] & 1 == 1
    var reader = PieceReader(framer: LineFramer(maximumLength: limit))
    var skips: Set<Int> = []
    var received = 0
    for chunk in input.chunks {
        reader.framer.append(chunk.span)
        received += chunk.count
        if isLazy {
            _ = reader.take(atEnd: false)
            continue
        }
        while reader.take(atEnd: false) {}
        try require(!reader.framer.hasCompleteLine || reader.missing > 0, "a line was left")
        try require(reader.framer.bufferedBytes <= limit + 1, "an overlong line is held")
        if chunk.count == 5, reader.missing == 0, reader.framer.bufferedBytes > 0 {
            reader.framer.skipCurrentLine(.crowdedOut)
            try require(reader.framer.bufferedBytes == 0, "a skipped line is held")
            skips.insert(received)
        }
    }
    while reader.take(atEnd: true) {}
    try require(reader.framer.bufferedBytes == 0, "bytes are left at the end")
    let expected = reference(input.content, limit: limit, skips: skips)
    try require(reader.pieces == expected, "\(reader.pieces) instead of \(expected)")
}

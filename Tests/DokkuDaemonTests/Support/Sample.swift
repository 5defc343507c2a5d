// Bytes whose place can be told from their value.

enum Sample {
    /// `count` bytes, each eight of them the number of their place.
    static func bytes(_ count: Int, from start: Int = 0) -> [UInt8] {
        let numbers = (0..<UInt64(count / 8 + 1)).map { $0 + UInt64(start) }
        return numbers.withUnsafeBytes { Array($0[..<count]) }
    }
}

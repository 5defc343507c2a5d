// Checks the shape of a long line of JSON before it is parsed. A parsed value takes up to 120 times its text in
// memory, so a line that cannot be a request is not parsed.

enum JSONShape {
    /// Lines up to this length are always parsed; that takes less than 2 MB.
    static let harmlessLength = 16 * 1024
    /// Enough for the words of a command and all else, in 16 MB. execve(2) fails with twice as many words.
    static let valueLimit = 128 * 1024
    /// A request has fewer keys.
    private static let memberLimit = 32
    /// A request is an object with an array in it.
    private static let depthLimit = 2

    /// What is wrong with the line; nil if it may be parsed. It need not be JSON.
    static func fault(of line: Span<UInt8>) -> Refusal? {
        guard line.count > harmlessLength else { return nil }
        return line.withUnsafeBufferPointer { fault(of: $0) }
    }

    private static func fault(of line: UnsafeBufferPointer<UInt8>) -> Refusal? {
        var depth = 0
        var values = 0
        var members = 0
        var isInString = false
        var index = 0
        while index < line.count {
            let byte = line[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): isInString.toggle()
            case UInt8(ascii: "\\") where isInString: index += 1
            case _ where isInString: break
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth > depthLimit { return .invalid("Nested too deeply") }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ","):
                values += 1
                if values >= valueLimit { return .invalid("More than \(valueLimit) values") }
                if depth <= 1 { members += 1 }
                if members >= memberLimit { return .invalid("Too many keys") }
            default: break
            }
        }
        return nil
    }
}

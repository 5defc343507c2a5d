// Looks at a long line of JSON before it is parsed: a parsed value takes up to 120 times its text in memory, so
// what cannot be a request for its shape alone is not parsed.

enum JSONShape {
    /// Shorter lines are parsed whatever they hold, in less than 2 MB.
    static let harmlessLength = 16 * 1024
    /// The words of a command, with all else: in 16 MB. The kernel starts no program with twice as many, execve(2).
    static let valueLimit = 128 * 1024
    /// More than a request has.
    private static let memberLimit = 32
    /// A request is an object with an array in it.
    private static let depthLimit = 2

    /// What is wrong with the line, or nil where it is to be parsed. It need not be JSON.
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
                if depth > depthLimit { return .invalid("Nested deeper than a request is") }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ","):
                values += 1
                if values >= valueLimit { return .invalid("More than \(valueLimit) values") }
                if depth <= 1 { members += 1 }
                if members >= memberLimit { return .invalid("More keys than a request has") }
            default: break
            }
        }
        return nil
    }
}

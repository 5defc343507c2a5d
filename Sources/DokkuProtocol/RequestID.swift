/// A client's name for a request. It comes back on every line of the answer.
public enum RequestID: Hashable, Sendable {
    case text(String)
    /// Within ±2^53, which every JSON parser represents exactly.
    case number(Int64)

    public static let numbers: ClosedRange<Int64> = -(1 << 53)...(1 << 53)
}

extension [UInt8] {
    /// Appends an id as the first member of an object, `"id":7,`; nothing if there is none.
    mutating func append(identity id: RequestID?) {
        switch id {
        case nil: return
        case .number(let number):
            append("\"id\":")
            append(decimal: number)
        case .text(let text):
            append("\"id\":\"")
            append(escaping: text)
            append("\"")
        }
        append(",")
    }
}

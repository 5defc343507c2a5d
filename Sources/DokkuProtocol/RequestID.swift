/// A client's name for a request. It comes back on every line of the answer.
public enum RequestID: Hashable, Sendable {
    case text(String)
    /// Within ±2^53, which every JSON parser represents exactly.
    case number(Int64)

    public static let numbers: ClosedRange<Int64> = -(1 << 53)...(1 << 53)
}

extension RequestID {
    public static let expected = "a string, or an integer from -2^53 to 2^53"

    public init?(_ value: JSONValue) {
        if let text = value.string {
            self = .text(String(decoding: text, as: UTF8.self))
        } else if let number = value.integer, Self.numbers.contains(number) {
            self = .number(number)
        } else {
            return nil
        }
    }
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

/// A client's name for a request. It comes back on every line of the answer.
public enum RequestID: Equatable, Sendable {
    case text(String)
    /// Within ±2^53, which every JSON parser represents exactly.
    case number(Int64)

    public static let numbers: ClosedRange<Int64> = -(1 << 53)...(1 << 53)
}

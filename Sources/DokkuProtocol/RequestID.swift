/// What a client named a request; comes back on every line that answers it.
public enum RequestID: Equatable, Sendable {
    case text(String)
    /// Within ±2^53: what every JSON parser carries exactly.
    case number(Int64)

    public static let numbers: ClosedRange<Int64> = -(1 << 53)...(1 << 53)
}

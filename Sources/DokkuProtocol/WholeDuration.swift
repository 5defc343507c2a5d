// Durations as whole numbers, as replies, logs and the kernel need them.

extension Duration {
    /// Nanoseconds, clamped to what an Int64 holds (292 years).
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? .max : sum
    }

    public var wholeMilliseconds: Int64 { wholeNanoseconds / 1_000_000 }
}

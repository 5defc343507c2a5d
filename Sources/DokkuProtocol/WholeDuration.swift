// Durations as whole numbers, for what counts in them: replies, logs, the kernel.

extension Duration {
    /// In nanoseconds, as much as an Int64 holds (292 years).
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? .max : sum
    }

    public var wholeMilliseconds: Int64 { wholeNanoseconds / 1_000_000 }
}

// Durations, dates and sizes as people say them.
import Glibc

enum Spell {
    /// `40 s`, `3 min 5 s`, `2 h 3 min`, `3 d 4 h`. What is below zero, because clocks differ, is none.
    static func duration(_ seconds: Int64) -> String {
        let seconds = max(0, seconds)
        let (minutes, hours) = (seconds / 60, seconds / 3600)
        if seconds < 60 { return "\(seconds) s" }
        if seconds < 3600 { return "\(minutes) min" + rest(seconds % 60, "s") }
        if hours < 24 { return "\(hours) h" + rest(minutes % 60, "min") }
        return "\(hours / 24) d" + rest(hours % 24, "h")
    }

    private static func rest(_ number: Int64, _ unit: String) -> String {
        number == 0 ? "" : " \(number) \(unit)"
    }

    /// With tenths below ten seconds.
    static func duration(_ duration: Duration) -> String {
        let milliseconds = max(.zero, duration).milliseconds
        if milliseconds >= 9950 { return Self.duration((milliseconds + 500) / 1000) }
        let tenths = (milliseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10) s"
    }

    /// `7 B`, `1.5 KB`, `20 MB`.
    static func size(_ bytes: UInt64) -> String {
        if bytes < 1000 { return "\(bytes) B" }
        var (tenths, unit) = (bytes / 100, 0)
        let units = ["KB", "MB", "GB", "TB", "PB", "EB"]
        while tenths >= 10_000, unit < units.count - 1 {
            tenths /= 1000
            unit += 1
        }
        return tenths < 100 ? "\(tenths / 10).\(tenths % 10) \(units[unit])" : "\(tenths / 10) \(units[unit])"
    }

    /// `2026-11-29 08:02:04 UTC`, as the daemon's log has it.
    static func date(_ seconds: Int64) -> String { format(seconds, "%Y-%m-%d %H:%M:%S UTC") }

    /// `2026-11-29T08:02:04Z`, which sorts and has no blank.
    static func stamp(_ seconds: Int64) -> String { format(seconds, "%Y-%m-%dT%H:%M:%SZ") }

    private static func format(_ seconds: Int64, _ form: String) -> String {
        var date = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&date, &parts) != nil else { return "\(seconds)" }
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, form, &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooLong) = seconds.multipliedReportingOverflow(by: 1000)
        return isTooLong ? .max / 2 : product + attoseconds / 1_000_000_000_000_000
    }
}

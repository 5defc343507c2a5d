// How long a test waits for an event before it gives up. Nothing is expected to take this long: a deadline only
// turns a hang into a failure.
import Glibc

extension Duration {
    /// `DOKKU_TEST_PATIENCE` in seconds shortens it for whoever expects failures.
    public static let patience = Duration.seconds(
        getenv("DOKKU_TEST_PATIENCE").flatMap { Int(String(cString: $0)) } ?? 60)
}

public struct Deadline {
    private let end: ContinuousClock.Instant

    public init(_ patience: Duration = .patience) { end = .now + patience }

    /// Looks again and again, for what reports no event: a file of /proc, or what a signal has done.
    public func poll(_ what: String, until condition: () throws -> Bool) throws {
        while try !condition() {
            if ContinuousClock.now >= end { throw Overdue(what: what) }
            usleep(1000)
        }
    }

    /// Waits until one of the descriptors has one of the events or has ended; true for each that has.
    @discardableResult
    public func wait(_ descriptors: Int32..., for events: Int32 = POLLIN, what: String) throws -> [Bool] {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(events), revents: 0) }
        while true {
            let left = (end - .now).components
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
            guard milliseconds > 0 else { throw Overdue(what: what) }
            let ready = Glibc.poll(&entries, nfds_t(entries.count), Int32(milliseconds))
            if ready > 0 { return entries.map { $0.revents != 0 } }
            if ready < 0 && errno != EINTR { throw SystemFailure(call: "poll") }
        }
    }
}

// Turning a loop by hand until what a test waits for has happened.
import TestSupport
import Testing

@testable import DokkuDaemon

extension EventLoop {
    static let limit = Duration.seconds(30)

    /// Turns until `condition` holds, waiting for events in between.
    func turn(
        until condition: @autoclosure () -> Bool, _ what: String = "what the test waits for"
    ) throws {
        let end = Instant.now + Self.limit
        while !condition() {
            let rest = end - .now
            guard rest > .zero else { throw Overdue(what: what) }
            try turn(waiting: rest)
        }
    }

    /// One turn that hands out what is ready by now.
    func turnOnce() throws { try turn(waiting: .zero) }
}

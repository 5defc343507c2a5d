// Turning a loop by hand until what a test waits for has happened.
import Testing

@testable import DokkuDaemon

/// What did not happen in time: a limit that only a failure reaches.
struct Overdue: Error, CustomStringConvertible {
    var description: String
}

extension EventLoop {
    static let limit = Duration.seconds(30)

    /// Turns until `condition` holds, waiting for events in between.
    func turn(
        until condition: @autoclosure () -> Bool, _ what: String = "what the test waits for"
    ) throws {
        let end = Instant.now + Self.limit
        while !condition() {
            let rest = end - .now
            guard rest > .zero else { throw Overdue(description: "\(what) did not happen") }
            try turn(waiting: rest)
        }
    }

    /// One turn that hands out what is ready by now.
    func turnOnce() throws { try turn(waiting: .zero) }
}

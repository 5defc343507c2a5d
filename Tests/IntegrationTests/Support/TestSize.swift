// How much the tests of great amounts send. A debug build copies a few megabytes a second: with `DOKKU_TEST_FULL`
// set they send all that the daemon promises to carry, and want a release build for that (`DOKKU_DAEMON_BINARY`).
import Foundation

enum TestSize {
    private static let isFull = ProcessInfo.processInfo.environment["DOKKU_TEST_FULL"] != nil

    /// Input and output of one command that come through unchanged.
    static let exact = isFull ? 256 << 20 : 24 << 20

    /// Output that somebody does not read.
    static let unread = isFull ? 200_000_000 : 20_000_000
}

// Signals of the test's own thread: those of the process belong to all tests.
import Glibc
import Testing

@testable import DokkuDaemon

/// Runs `body` with signals blocked for this thread, takes what of them is then left, and puts the mask back.
func withBlockedSignals<Result>(_ signals: [Int32], _ body: () throws -> Result) throws -> Result {
    var blocked = sigset_t()
    var before = sigset_t()
    sigemptyset(&blocked)
    for signal in signals { sigaddset(&blocked, signal) }
    pthread_sigmask(SIG_BLOCK, &blocked, &before)
    defer {
        var none = timespec()
        while sigtimedwait(&blocked, nil, &none) > 0 {}
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }
    return try body()
}

/// The daemon ignores SIGPIPE as a whole.
func withoutBrokenPipeSignal<Result>(_ body: () throws -> Result) throws -> Result {
    try withBlockedSignals([SIGPIPE], body)
}

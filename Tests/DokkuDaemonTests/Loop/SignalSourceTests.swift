// Signals as the loop sees them, sent to the test's own thread.
import Glibc
import Testing

@testable import DokkuDaemon

@Suite struct SignalSourceTests {
    @Test func `signals are reported by the loop and do nothing else`() throws {
        try withBlockedSignals([SIGUSR1, SIGUSR2]) {
            let loop = try EventLoop()
            var received: [Int32] = []
            let source = try SignalSource([SIGUSR1, SIGUSR2]) { received.append($0) }
            source.start(in: loop)
            try loop.turnOnce()
            #expect(received == [])
            raise(SIGUSR1)
            try loop.turnOnce()
            #expect(received == [SIGUSR1])
            received = []
            for signal in [SIGUSR2, SIGUSR1, SIGUSR2] { raise(signal) }
            try loop.turnOnce()
            #expect(received.sorted() == [SIGUSR1, SIGUSR2])
            received = []
            try loop.turnOnce()
            #expect(received == [])
        }
    }

    @Test func `only its own signals are blocked`() throws {
        try withBlockedSignals([]) {
            var mask = sigset_t()
            sigemptyset(&mask)
            pthread_sigmask(SIG_SETMASK, &mask, nil)
            _ = try SignalSource([SIGUSR1, SIGUSR2]) { _ in }
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            let blocked = (1...64).filter { sigismember(&mask, $0) == 1 }
            #expect(blocked == [SIGUSR1, SIGUSR2])
        }
    }
}

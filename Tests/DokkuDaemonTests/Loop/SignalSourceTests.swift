// Signals as the loop sees them, each in a process of its own: a signal belongs to a whole process.
import Glibc
import Testing

@testable import DokkuDaemon

@Suite struct SignalSourceTests {
    @Test func signalsAreReportedByTheLoopAndDoNothingElse() async {
        await #expect(processExitsWith: .success) {
            let loop = try EventLoop()
            var received: [Int32] = []
            let source = try SignalSource([SIGTERM, SIGHUP]) { received.append($0) }
            source.start(in: loop)
            try loop.turnOnce()
            #expect(received == [])
            // To this thread, which has them blocked.
            raise(SIGTERM)
            try loop.turnOnce()
            #expect(received == [SIGTERM])
            received = []
            raise(SIGHUP)
            raise(SIGTERM)
            raise(SIGHUP)
            try loop.turnOnce()
            #expect(received.sorted() == [SIGHUP, SIGTERM])
            received = []
            try loop.turnOnce()
            #expect(received == [])
        }
    }

    @Test func otherSignalsAreNotTouched() async {
        await #expect(processExitsWith: .success) {
            var mask = sigset_t()
            sigemptyset(&mask)
            pthread_sigmask(SIG_SETMASK, &mask, nil)
            _ = try SignalSource([SIGTERM, SIGINT]) { _ in }
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            let blocked = (1...64).filter { sigismember(&mask, $0) == 1 }
            #expect(blocked == [SIGINT, SIGTERM])
        }
    }
}

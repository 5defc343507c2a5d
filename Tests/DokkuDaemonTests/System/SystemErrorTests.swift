// The door to errno.
import Glibc
import Testing

@testable import DokkuDaemon

@Suite struct SystemErrorTests {
    @Test func aCallThatSucceedsGivesItsResult() throws {
        #expect(try retrying("call") { Int32(7) } == 7)
        #expect(try retrying("call") { Int32(0) } == 0)
    }

    @Test func anInterruptedCallIsRepeated() throws {
        var calls = 0
        let result = try retrying("call") {
            calls += 1
            errno = EINTR
            return calls < 3 ? -1 : calls
        }
        #expect(result == 3)
    }

    @Test func aFailureIsNamed() {
        let error = #expect(throws: SystemError.self) {
            _ = try retrying("accept") {
                errno = EMFILE
                return Int32(-1)
            }
        }
        #expect(error?.description == "accept: Too many open files")
    }

    @Test func onlyWaitingIsNoFailure() {
        #expect(SystemError(call: "x", number: EAGAIN).wouldBlock)
        #expect(!SystemError(call: "x", number: EMFILE).wouldBlock)
    }
}

// The door to errno.
import Glibc
import Testing

@testable import DokkuDaemon

@Suite struct SystemErrorTests {
    @Test func `a call that succeeds gives its result`() throws {
        #expect(try retrying("call") { Int32(7) } == 7)
        #expect(try retrying("call") { Int32(0) } == 0)
    }

    @Test func `an interrupted call is repeated`() throws {
        var calls = 0
        let result = try retrying("call") {
            calls += 1
            errno = EINTR
            return calls < 3 ? -1 : calls
        }
        #expect(result == 3)
    }

    @Test func `a failure is named`() {
        let error = #expect(throws: SystemError.self) {
            _ = try retrying("accept") {
                errno = EMFILE
                return Int32(-1)
            }
        }
        #expect(error?.description == "accept: Too many open files")
    }

    @Test func `a call that would only wait is no failure`() {
        #expect(SystemError(call: "x", number: EAGAIN).wouldBlock)
        #expect(!SystemError(call: "x", number: EMFILE).wouldBlock)
    }
}

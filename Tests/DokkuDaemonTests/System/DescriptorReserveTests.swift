// The place in the table of descriptors that is kept for the call that must not fail.
import Glibc
import Testing

@testable import DokkuDaemon

@Suite struct DescriptorReserveTests {
    private let none = SystemError(call: "test", number: EMFILE)

    @Test func `the reserved place goes to the call that finds none`() throws {
        let reserve = DescriptorReserve()
        try reserve.fill()
        var calls = 0
        let number = try reserve.lend { () throws(SystemError) in
            calls += 1
            if calls == 1 { throw none }
            return 7
        }
        #expect(number == 7 && calls == 2)
        // It was given up: who finds none now is told so, until it is filled again.
        #expect(throws: none) { try reserve.lend { () throws(SystemError) in throw none } }
        try reserve.fill()
        #expect(try reserve.lend { () throws(SystemError) in 8 } == 8)
    }

    @Test func `a call that fails for another reason is not tried again`() throws {
        let reserve = DescriptorReserve()
        try reserve.fill()
        let other = SystemError(call: "test", number: ENOMEM)
        var calls = 0
        #expect(throws: other) {
            try reserve.lend { () throws(SystemError) in
                calls += 1
                throw other
            }
        }
        #expect(calls == 1)
    }
}

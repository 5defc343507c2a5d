// A descriptor kept free for a call that must not fail.
import Glibc

/// Occupies a descriptor until it is needed.
final class DescriptorReserve {
    private var kept: Descriptor?

    /// Occupies the descriptor, if it does not yet. Call it before anything that must not fail for lack of one.
    func fill() throws(SystemError) {
        if kept == nil { kept = try Descriptor.open("/dev/null", O_RDONLY) }
    }

    /// Runs a call that makes a descriptor. If there is none left, it gives up the kept one and runs the call
    /// again.
    func lend(_ call: () throws(SystemError) -> Int32) throws(SystemError) -> Int32 {
        do throws(SystemError) {
            return try call()
        } catch {
            guard error.number == EMFILE || error.number == ENFILE, kept != nil else { throw error }
            kept = nil
            return try call()
        }
    }
}

// A descriptor kept free for a call that comes when it is too late to refuse.
import Glibc

/// Holds a place in the process's table of descriptors until it is needed.
final class DescriptorReserve {
    private var kept: Descriptor?

    /// Takes the place, where it is not taken yet: before what must not fail for want of one.
    func fill() throws(SystemError) {
        if kept == nil { kept = try Descriptor.open("/dev/null", O_RDONLY) }
    }

    /// Runs a call that makes a descriptor, once more with the place given up where there was none left.
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

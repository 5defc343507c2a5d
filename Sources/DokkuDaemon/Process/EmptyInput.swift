// The standard input of commands that get no input: a file that is empty and stays empty.
import CEpollShim
import Glibc

/// One file for all such commands. It is sealed, so no process that a command left behind can write to it, not even
/// root's, memfd_create(2).
final class EmptyInput {
    private var file: Descriptor?

    /// The descriptor for a child to inherit.
    func number() throws(SystemError) -> Int32 {
        if let number = file?.number { return number }
        let fresh = Descriptor(owning: try retrying("memfd_create") { shim_sealed_empty_file() })
        let number = fresh.number
        file = consume fresh
        return number
    }
}

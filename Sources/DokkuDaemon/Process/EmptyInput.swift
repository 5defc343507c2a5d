// The standard input of commands that were given none: a file that is empty and stays so.
import CEpollShim
import Glibc

/// One file for all such commands. It is sealed: what one of them leaves behind cannot write to it for the next, root
/// neither, memfd_create(2).
final class EmptyInput {
    private var file: Descriptor?

    /// For a child to inherit.
    func number() throws(SystemError) -> Int32 {
        if let number = file?.number { return number }
        let fresh = Descriptor(owning: try retrying("memfd_create") { shim_sealed_empty_file() })
        let number = fresh.number
        file = consume fresh
        return number
    }
}

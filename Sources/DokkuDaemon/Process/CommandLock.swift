// The lock that a command holds while it runs, so that scripts outside can take part: flock(2) on a file that
// also lists the valid commands.
import CEpollShim
import Glibc

/// The file at `DOKKU_LOCK_PATH`. Written in place, never renamed, unlinked or read back.
final class CommandLock {
    let path: String
    private var held: Descriptor?

    init(path: String) { self.path = path }

    /// Takes the lock if nobody has it. The file is opened anew each time: flock belongs to the open file, so a
    /// child that inherited it keeps it, should this process die.
    func acquire() throws(SystemError) -> Bool {
        let file = try open()
        if try file.attempt("flock", { shim_lock($0) }) == nil { return false }
        held = consume file
        return true
    }

    /// The descriptor that holds the lock, for the child; -1 where it is not held.
    var number: Int32 { held?.number ?? -1 }

    /// Gives the lock up for all who inherited it: what a command left behind must not keep it.
    func release() {
        if let number = held?.number { _ = shim_unlock(number) }
        held = nil
    }

    /// Who has it now, where it is somebody else.
    func holder() -> LockHolder? {
        guard let file = try? open() else { return nil }
        return LockHolder.of(file)
    }

    /// Writes the list of commands.
    func write(_ list: [UInt8]) throws(SystemError) {
        let file = try open()
        try file.call("ftruncate") { ftruncate($0, 0) }
        try file.writeAll(list[...])
    }

    private func open() throws(SystemError) -> Descriptor {
        let flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
        do throws(SystemError) {
            // It is there but for the first time, and looking for it without making it is cheaper.
            if let file = try? Descriptor.open(path, flags) { return file }
            return try Descriptor.open(path, flags | O_CREAT, mode: 0o640)
        } catch {
            throw SystemError(call: "open the lock file", number: error.number)
        }
    }
}

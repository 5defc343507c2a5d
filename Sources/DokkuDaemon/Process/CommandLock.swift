// The lock that a command holds while it runs, so that scripts outside the daemon can take turns with it: flock(2)
// on a file that also lists the valid commands.
import CEpollShim
import Glibc

/// The file at `DOKKU_LOCK_PATH`. It is written in place, and never renamed, removed or read.
final class CommandLock {
    let path: String
    private var held: Descriptor?

    init(path: String) { self.path = path }

    /// Takes the lock if it is free. The file is opened again each time, because flock belongs to the open file: if
    /// this process dies, a child that inherited it keeps the lock.
    func acquire() throws(SystemError) -> Bool {
        let file = try open()
        if try file.attempt("flock", { shim_lock($0) }) == nil { return false }
        held = consume file
        return true
    }

    /// The descriptor that holds the lock, for the child; -1 if the lock is not held.
    var number: Int32 { held?.number ?? -1 }

    /// Releases the lock for all processes that inherited it: what a command left behind must not keep it.
    func release() {
        if let number = held?.number { _ = shim_unlock(number) }
        held = nil
    }

    /// The process outside the daemon that holds the lock.
    func holder() -> LockHolder? {
        guard let file = try? open() else { return nil }
        return LockHolder.of(file)
    }

    /// A process outside the daemon that waits for the lock while the daemon holds it.
    func waiter() -> LockHolder? { (held?.number).flatMap { LockHolder.waiting(for: $0) } }

    /// Writes the list of commands.
    func write(_ list: [UInt8]) throws(SystemError) {
        let file = try open()
        try file.call("ftruncate") { ftruncate($0, 0) }
        try file.writeAll(list[...])
    }

    private func open() throws(SystemError) -> Descriptor {
        let flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
        do throws(SystemError) {
            // The file nearly always exists, and opening it without O_CREAT is cheaper.
            if let file = try? Descriptor.open(path, flags) { return file }
            return try Descriptor.open(path, flags | O_CREAT, mode: 0o640)
        } catch {
            throw SystemError(call: "open the lock file", number: error.number)
        }
    }
}

// The standard input of commands that were given none: a pipe without a writer, which ends at once.
import Glibc

/// One pipe for all such commands; a new one where somebody has written to it, or could.
final class EmptyInput {
    private var pipe: Descriptor?

    /// The reading end, for a child to inherit.
    func number() throws(SystemError) -> Int32 {
        if let number = pipe?.number, isUntouched(number) { return number }
        let fresh = try Descriptor.emptyPipe()
        let number = fresh.number
        pipe = consume fresh
        return number
    }

    /// A pipe that never had a byte and has no writer hangs up and has nothing to read, poll(2). A child could have
    /// opened it for writing through /proc.
    private func isUntouched(_ number: Int32) -> Bool {
        var query = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return poll(&query, 1, 0) == 1 && query.revents == Int16(POLLHUP)
    }
}

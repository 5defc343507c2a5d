// The signals that the client answers, as bytes that its loop reads.
import CClientShim
import Glibc

struct Signals: ~Copyable {
    let descriptor: Int32

    /// From now on these signals come here alone. One that whoever started the client ignores stays ignored. With `andChildren`,
    /// SIGCHLD comes as well.
    init(_ signals: [Int32], andChildren: Bool = false) throws(SystemFailure) {
        var wanted = signals.filter { client_ignores($0) == 0 }
        if andChildren {
            // Were it ignored, nobody could tell how a child has ended.
            signal(SIGCHLD, SIG_DFL)
            wanted.append(SIGCHLD)
        }
        descriptor = try retrying { client_catch(wanted, wanted.count) }
    }

    deinit { close(descriptor) }

    /// Stops this process as the shell's Ctrl-Z would have, until it is told to go on.
    static func stop() { kill(getpid(), SIGSTOP) }

    /// The next one that has come; nil if there is none.
    borrowing func next() -> Int32? {
        let signal = client_next_signal(descriptor)
        return signal == 0 ? nil : signal
    }
}

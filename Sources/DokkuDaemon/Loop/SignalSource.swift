// Signals as events of the loop: signalfd(2).
import CEpollShim
import Glibc

/// Blocks the given signals for the process, and reports each one as an event.
final class SignalSource: EventHandler {
    private let descriptor: Descriptor
    private let didReceive: (Int32) -> Void

    /// Create it before the signals can interrupt anything else.
    init(_ signals: [Int32], didReceive: @escaping (Int32) -> Void) throws(SystemError) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        sigprocmask(SIG_BLOCK, &set, nil)
        descriptor = Descriptor(
            owning: try retrying("signalfd") {
                signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
            })
        self.didReceive = didReceive
    }

    func start(in loop: EventLoop) { _ = loop.add(descriptor, self) }

    func didBecomeReady(_ readiness: Readiness) {
        var info = signalfd_siginfo()
        while read(descriptor.number, &info, MemoryLayout<signalfd_siginfo>.size) > 0 {
            didReceive(Int32(info.ssi_signo))
        }
    }

    func settle() -> Interest? { .read }
}

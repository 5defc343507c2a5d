// One child process: watched by pidfd, signalled as a group, reaped once.
import CEpollShim
import DokkuProtocol
import Glibc

/// A process of its own session, which leads its process group, until it is reaped.
final class Child: EventHandler, ProcessGroup {
    let pid: pid_t
    private let context: RunContext
    /// Of the pidfd.
    private var watch: Watch
    private var didExit: ((ExitStatus) -> Void)?
    private var wasSignalled = false

    /// Watches a process that has just been started. `didExit` is called once, when it was reaped.
    init(pid: pid_t, context: RunContext, didExit: @escaping (ExitStatus) -> Void) throws(SystemError) {
        self.pid = pid
        self.context = context
        self.didExit = didExit
        let number = try context.reserve.lend { () throws(SystemError) in
            try retrying("pidfd_open") { shim_pidfd_open(pid) }
        }
        watch = Watch(Descriptor(owning: number), in: context.loop)
        watch.start(for: self)
    }

    var isReaped: Bool { didExit == nil }

    func didBecomeReady(_ readiness: Readiness) {
        var value: Int32 = 0
        let status: ExitStatus
        switch shim_wait(pid, &value) {
        case 0: return
        case 1: status = .exited(value)
        case 2: status = .signalled(Self.signalName(value))
        default: preconditionFailure("a child was reaped by somebody else")
        }
        watch.stop(isShared: wasSignalled || context.hasCopies)
        // Only what is left of a group that is being ended may still have to be found.
        if !wasSignalled || !isGroupLeft { watch.close() }
        let report = didExit
        didExit = nil
        report?(status)
    }

    private static func signalName(_ number: Int32) -> String {
        // A real-time signal has no name.
        "SIG\(shim_signal_abbreviation(number).map { String(cString: $0) } ?? "\(number)")"
    }

    func settle() -> Interest? { .read }

    /// Whether others of the process group are there; false also where the kernel cannot tell.
    var isGroupLeft: Bool {
        watch.withDescriptor { shim_pidfd_signal_group($0.number, 0) == 0 } ?? false
    }

    /// Signals the whole process group. Once the leader was reaped its number may belong to somebody else: then
    /// only by pidfd, where the kernel can (Linux 6.9), which finds what is left of the group or nobody.
    func signalGroup(_ signal: Int32) {
        if isReaped {
            _ = watch.withDescriptor { shim_pidfd_signal_group($0.number, signal) }
        } else {
            wasSignalled = true
            kill(-pid, signal)
        }
    }
}

// One child process: watched by pidfd, signalled as a group, reaped once.
import CEpollShim
import DokkuProtocol
import Glibc

/// A process that leads its own session and process group, until it is reaped.
final class Child: EventHandler, ProcessGroup {
    let pid: pid_t
    private let context: RunContext
    /// Watches the pidfd.
    private var watch: Watch
    private var didExit: ((ExitStatus) -> Void)?
    private var wasSignalled = false

    /// Watches a process that has just been started. `didExit` is called once, after it was reaped.
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
        default: preconditionFailure("a child was reaped elsewhere")
        }
        watch.stop(isShared: wasSignalled || context.hasCopies)
        // The pidfd is needed later only if a group that was told to end still has processes.
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

    /// Whether other processes of the group exist. Also false if the kernel cannot tell.
    var isGroupLeft: Bool {
        watch.withDescriptor { shim_pidfd_signal_group($0.number, 0) == 0 } ?? false
    }

    /// Signals the whole process group. After the leader was reaped, its number may belong to another process. Then
    /// the group is signalled only by pidfd, if the kernel can (Linux 6.9).
    func signalGroup(_ signal: Int32) {
        if isReaped {
            _ = watch.withDescriptor { shim_pidfd_signal_group($0.number, signal) }
        } else {
            wasSignalled = true
            kill(-pid, signal)
        }
    }
}

// Processes that were told to end: SIGTERM at once, and SIGKILL after the grace or when the daemon exits.
import Glibc

/// Processes that are ended together.
protocol ProcessGroup: AnyObject {
    func signalGroup(_ signal: Int32)
}

final class Endings {
    private let loop: EventLoop
    private let grace: Duration
    private var open: [ObjectIdentifier: (group: any ProcessGroup, timer: Timer)] = [:]

    init(loop: EventLoop, grace: Duration) {
        self.loop = loop
        self.grace = grace
    }

    /// Ends a process group. `hangingUp`: with SIGHUP before the SIGTERM.
    func end(_ group: any ProcessGroup, hangingUp: Bool = false) {
        let key = ObjectIdentifier(group)
        guard open[key] == nil else { return }
        if hangingUp { group.signalGroup(SIGHUP) }
        group.signalGroup(SIGTERM)
        let timer = loop.timers.schedule(after: grace) { [unowned self] in
            open[key] = nil
            group.signalGroup(SIGKILL)
        }
        open[key] = (group, timer)
    }

    /// Ends a process group without waiting for the grace.
    func endAtOnce(_ group: any ProcessGroup) {
        forget(group)
        group.signalGroup(SIGKILL)
    }

    /// The group has no process left.
    func forget(_ group: any ProcessGroup) {
        open.removeValue(forKey: ObjectIdentifier(group))?.timer.cancel()
    }

    /// Kills at once every group that has not ended.
    func killAll() {
        for (group, timer) in open.values {
            timer.cancel()
            group.signalGroup(SIGKILL)
        }
        open = [:]
    }
}

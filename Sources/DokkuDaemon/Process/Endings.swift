// Processes that were told to end: TERM at once, KILL after the grace, or when the daemon itself ends.
import Glibc

/// Processes that end together.
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

    /// Ends a process group: its leader, and what belongs to it.
    func end(_ group: any ProcessGroup) {
        let key = ObjectIdentifier(group)
        guard open[key] == nil else { return }
        group.signalGroup(SIGTERM)
        let timer = loop.timers.schedule(after: grace) { [unowned self] in
            open[key] = nil
            group.signalGroup(SIGKILL)
        }
        open[key] = (group, timer)
    }

    /// Nothing is left of this one.
    func forget(_ group: any ProcessGroup) {
        open.removeValue(forKey: ObjectIdentifier(group))?.timer.cancel()
    }

    /// What has not ended by now has no more time.
    func killAll() {
        for (group, timer) in open.values {
            timer.cancel()
            group.signalGroup(SIGKILL)
        }
        open = [:]
    }
}

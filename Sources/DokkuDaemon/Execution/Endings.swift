// Processes that were told to end: TERM at once, KILL after the grace, or when the daemon itself ends.
import Glibc

final class Endings {
    private let loop: EventLoop
    private let grace: Duration
    private var open: [ObjectIdentifier: (child: Child, timer: Timer)] = [:]

    init(loop: EventLoop, grace: Duration) {
        self.loop = loop
        self.grace = grace
    }

    /// Ends a process group: the child, and what belongs to it.
    func end(_ child: Child) {
        let key = ObjectIdentifier(child)
        guard open[key] == nil else { return }
        child.signalGroup(SIGTERM)
        let timer = loop.timers.schedule(after: grace) { [unowned self] in
            open[key] = nil
            child.signalGroup(SIGKILL)
        }
        open[key] = (child, timer)
    }

    /// Nothing is left of this one.
    func forget(_ child: Child) { open.removeValue(forKey: ObjectIdentifier(child))?.timer.cancel() }

    /// What has not ended by now has no more time.
    func killAll() {
        for (child, timer) in open.values {
            timer.cancel()
            child.signalGroup(SIGKILL)
        }
        open = [:]
    }
}

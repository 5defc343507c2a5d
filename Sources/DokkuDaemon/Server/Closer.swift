// Closes connections that may hold passed files, on kernels that cannot refuse such files.
//
// The last close of a file may take long: for a TCP socket as long as its SO_LINGER says, tcp(7). So a forked
// process closes it. Nobody waits for that process, and its exit does not linger.
import CEpollShim
import Glibc

final class Closer {
    /// Connections closed within this time share one process.
    private static let interval = Duration.milliseconds(250)
    /// The most processes at once. Each takes a second, unless its exit has to wait after all.
    private static let processLimit = 8

    private struct Entry {
        let number: Int32
        let isRestricted: Bool
    }

    private let timers: TimerQueue
    private var waiting: [Entry] = []
    private var processes: [pid_t] = []
    private var timer: Timer?

    init(timers: TimerQueue) { self.timers = timers }

    /// Connections that are not closed yet.
    var count: Int { waiting.count }
    /// Those that came through restricted sockets.
    var restrictedCount: Int { waiting.count(where: \.isRestricted) }

    /// Closes a connection later. Its peer sees the end at once.
    func close(_ connection: consuming Descriptor, isRestricted: Bool) {
        let number = connection.relinquish()
        shutdown(number, Int32(SHUT_RDWR))
        waiting.append(Entry(number: number, isRestricted: isRestricted))
        schedule()
    }

    private func schedule() {
        guard timer == nil else { return }
        timer = timers.schedule(after: Self.interval) { [unowned self] in
            timer = nil
            reap()
            release()
            if !waiting.isEmpty || !processes.isEmpty { schedule() }
        }
    }

    private func reap() {
        var value: Int32 = 0
        processes.removeAll { shim_wait($0, &value) != 0 }
    }

    /// Passes the waiting connections to a process. It keeps them until the daemon has closed its own copies, so
    /// that the daemon's close is never the last.
    private func release() {
        guard !waiting.isEmpty, processes.count < Self.processLimit,
            let gate = try? Descriptor.pipe(ours: .write)
        else { return }
        let kept = (waiting.map(\.number) + [gate.theirs]).sorted()
        let pid = shim_fork_to_close(kept, kept.count, gate.theirs)
        guard pid > 0 else { return }
        processes.append(pid)
        for entry in waiting { Glibc.close(entry.number) }
        waiting = []
        withExtendedLifetime(gate) {}
    }
}

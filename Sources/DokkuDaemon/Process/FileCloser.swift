// Closes files that clients have passed. The daemon must not do it itself: the close of a file may take as long as a
// disk of another host, a process that serves the file, or the other end of a connection likes.
//
// So a process does it that shares the daemon's table of descriptors. Nobody waits for it.
import CEpollShim
import Glibc

final class FileCloser {
    /// Files closed within this time share one process, unless somebody may wait for the close.
    private static let interval = Duration.milliseconds(250)
    /// So many files at once are not left for later.
    private static let batchLimit = 64
    /// If so many wait, because no process can close them, none should be added.
    private static let waitingLimit = 192
    /// The most processes at once. One stays as long as a close takes.
    private static let processLimit = 8
    /// The most processes at once for files that a process serves. Each has its own, because none of them may ever end.
    private static let servedLimit = 256

    private struct Entry {
        let number: Int32
        let place: Reservation?
    }

    private struct Closing {
        let process: pid_t
        /// Held until the process has ended, because until then the numbers may be in use.
        let entries: [Entry]
    }

    private let timers: TimerQueue
    private var waiting: [Entry] = []
    private var closings: [Closing] = []
    private var served: [Closing] = []
    private var timer: Timer?

    init(timers: TimerQueue) { self.timers = timers }

    /// True if so many files wait that no more should come.
    var isFull: Bool { waiting.count >= Self.waitingLimit }

    deinit { for entry in waiting { Glibc.close(entry.number) } }

    /// Closes a file, now or in a moment.
    func close(_ file: consuming Descriptor, _ place: Reservation?) {
        switch shim_kind_of_file(file.number) {
        // Nothing of these can take time, and the reader of a pipe waits for its end.
        case shim_kind_pipe, shim_kind_null, shim_kind_pty: return
        case shim_kind_regular: adopt(file, place)
        case shim_kind_served: closeServed(file, place)
        // A socket's other end waits.
        default:
            adopt(file, place)
            release()
        }
    }

    /// A child that is started while the file is open would wait for whoever serves the file.
    private func closeServed(_ file: consuming Descriptor, _ place: Reservation?) {
        guard served.count < Self.servedLimit else { return adopt(file, place) }
        let entry = Entry(number: file.relinquish(), place: place)
        let process = shim_close_out_of_the_way(entry.number)
        if process > 0 {
            served.append(Closing(process: process, entries: [entry]))
        } else {
            waiting.append(entry)
        }
        schedule()
    }

    private func adopt(_ file: consuming Descriptor, _ place: Reservation?) {
        waiting.append(Entry(number: file.relinquish(), place: place))
        if waiting.count >= Self.batchLimit { release() }
        schedule()
    }

    private func schedule() {
        guard timer == nil else { return }
        timer = timers.schedule(after: Self.interval) { [weak self] in
            guard let self else { return }
            timer = nil
            release()
            if !waiting.isEmpty || !closings.isEmpty || !served.isEmpty { schedule() }
        }
    }

    private func release() {
        var value: Int32 = 0
        closings.removeAll { shim_wait($0.process, &value) != 0 }
        served.removeAll { shim_wait($0.process, &value) != 0 }
        guard !waiting.isEmpty, closings.count < Self.processLimit else { return }
        let numbers = waiting.map(\.number).sorted()
        let process = shim_close_elsewhere(numbers, numbers.count)
        guard process > 0 else { return }
        closings.append(Closing(process: process, entries: waiting))
        waiting = []
    }
}

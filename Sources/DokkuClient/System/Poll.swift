// The one place where the client waits: poll(2).
import Glibc

/// What some part of the client waits for.
struct Poll {
    private var entries: [pollfd] = []

    /// Waits for bytes, or the end.
    mutating func wantsRead(_ descriptor: Int32) { add(descriptor, POLLIN) }

    mutating func wantsWrite(_ descriptor: Int32) { add(descriptor, POLLOUT) }

    /// Waits until the other end has gone, and for nothing else.
    mutating func wantsEnd(_ descriptor: Int32) { add(descriptor, 0) }

    private mutating func add(_ descriptor: Int32, _ events: Int32) {
        entries.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
    }

    /// Waits until one of them is ready, or for so many milliseconds; nil waits for ever.
    mutating func wait(milliseconds: Int32?) {
        // Without signal handlers nothing interrupts it but a stop and a continue.
        while poll(&entries, nfds_t(entries.count), milliseconds ?? -1) < 0, errno == EINTR {}
    }

    /// Also true for an error and for the end of the other side, which the next call then tells.
    func canRead(_ descriptor: Int32) -> Bool { isReady(descriptor, POLLIN) }

    func canWrite(_ descriptor: Int32) -> Bool { isReady(descriptor, POLLOUT) }

    func hasEnded(_ descriptor: Int32) -> Bool { isReady(descriptor, 0) }

    private func isReady(_ descriptor: Int32, _ event: Int32) -> Bool {
        entries.contains { $0.fd == descriptor && $0.events == event && $0.revents != 0 }
    }
}

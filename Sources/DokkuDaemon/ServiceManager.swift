// What systemd is told: ready, status, stopping, and that the loop still turns (sd_notify(3)).
import CEpollShim
import Glibc

/// Who says what the daemon is doing.
protocol StatusSource: AnyObject {
    /// One line, for people.
    var status: String { get }
}

/// Talks to the service manager, if there is one.
final class ServiceManager {
    private static let statusInterval = Duration.seconds(1)

    private let loop: EventLoop
    /// The manager's socket; nil if there is no manager.
    private let address: String?
    private var statusTimer: Timer?
    private var toldStatus = ""
    /// What every status begins with.
    private var prefix = ""
    /// Nil before `ready`.
    private weak var source: (any StatusSource)?
    private var watchdogTimer: Timer?
    private var watchdogInterval: Duration?

    init(loop: EventLoop, environment: [String: String]) {
        self.loop = loop
        address = environment["NOTIFY_SOCKET"]
        var microseconds: UInt64 = 0
        if sd_watchdog_enabled(0, &microseconds) > 0 {
            // Half of what systemd allows, as sd_watchdog_enabled(3) recommends.
            watchdogInterval = max(.microseconds(Int64(clamping: microseconds / 2)), .milliseconds(1))
        }
    }

    private var status: String { prefix + (source?.status ?? "") }

    func ready(_ source: any StatusSource) {
        self.source = source
        tellReady()
        feedWatchdog()
    }

    /// Repeats it until it is sent: a manager that does not get it ends the daemon.
    private func tellReady() {
        toldStatus = status
        // This may wait for a busy manager, but nobody is served yet.
        guard sd_notify(0, "READY=1\nSTATUS=\(toldStatus)") < 0 else { return }
        _ = loop.timers.schedule(after: Self.statusInterval) { [unowned self] in tellReady() }
    }

    /// Sends the new status, at most once a second, because people read it.
    func statusDidChange() {
        guard address != nil, statusTimer == nil else { return }
        statusTimer = loop.timers.schedule(after: Self.statusInterval) { [unowned self] in
            statusTimer = nil
            let text = status
            if text != toldStatus, notify("STATUS=\(text)") { toldStatus = text }
        }
    }

    func stopping() {
        prefix = "Stopping: "
        notify("STOPPING=1\nSTATUS=\(status)")
    }

    private func feedWatchdog() {
        guard let watchdogInterval else { return }
        // A lost message must not use up the whole watchdog time.
        let wait = notify("WATCHDOG=1") ? watchdogInterval : min(watchdogInterval, Self.statusInterval)
        watchdogTimer = loop.timers.schedule(after: wait) { [unowned self] in feedWatchdog() }
    }

    /// Sends it now or not at all, because sd_notify(3) waits until the manager reads. False if it was not sent.
    @discardableResult
    private func notify(_ state: String) -> Bool {
        guard let address else { return false }
        // Some container managers use an address that is not a path. sd_notify(3) knows all forms.
        guard address.hasPrefix("/") else { return sd_notify(0, state) > 0 }
        do throws(SystemError) {
            let socket = Descriptor(owning: try retrying("socket") { shim_unix_datagram_socket() })
            try socket.call("connect") { shim_connect($0, address) }
            return try socket.write(Array(state.utf8)[...]) != .wouldBlock
        } catch {
            return false
        }
    }
}

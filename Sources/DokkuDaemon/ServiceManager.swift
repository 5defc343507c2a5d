// What systemd is told: ready, status, stopping, and that the loop still turns (sd_notify(3)).
import CEpollShim
import Glibc

/// Talks to the service manager; to nobody, where there is none.
final class ServiceManager {
    private static let statusInterval = Duration.seconds(1)

    private let loop: EventLoop
    private let isManaged: Bool
    private var statusTimer: Timer?
    private var toldStatus = ""
    /// What the daemon is doing, in a line for people.
    var status: () -> String = { "" }
    private var watchdogTimer: Timer?
    private var watchdogInterval: Duration?

    init(loop: EventLoop, environment: [String: String]) {
        self.loop = loop
        isManaged = environment["NOTIFY_SOCKET"] != nil
        var microseconds: UInt64 = 0
        if sd_watchdog_enabled(0, &microseconds) > 0 {
            // Half of what systemd allows, as sd_watchdog_enabled(3) recommends.
            watchdogInterval = .microseconds(Int64(clamping: microseconds / 2))
        }
    }

    func ready() {
        toldStatus = status()
        notify("READY=1\nSTATUS=\(toldStatus)")
        feedWatchdog()
    }

    /// Has the status told anew, at most once a second: what changes more often is not for people.
    func statusDidChange() {
        guard isManaged, statusTimer == nil else { return }
        statusTimer = loop.timers.schedule(after: Self.statusInterval) { [unowned self] in
            statusTimer = nil
            let text = status()
            if text != toldStatus { notify("STATUS=\(text)") }
            toldStatus = text
        }
    }

    func stopping() { notify("STOPPING=1\nSTATUS=Stopping: \(status())") }

    private func feedWatchdog() {
        guard let watchdogInterval else { return }
        notify("WATCHDOG=1")
        watchdogTimer = loop.timers.schedule(after: watchdogInterval) { [unowned self] in feedWatchdog() }
    }

    private func notify(_ state: String) { sd_notify(0, state) }
}

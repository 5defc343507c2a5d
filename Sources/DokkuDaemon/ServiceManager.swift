// What systemd is told: ready, status, stopping, and that the loop still turns (sd_notify(3)).
import CEpollShim
import Glibc

/// Talks to the service manager; to nobody, where there is none.
final class ServiceManager {
    private let loop: EventLoop
    private var watchdogTimer: Timer?
    private var watchdogInterval: Duration?

    init(loop: EventLoop) {
        self.loop = loop
        var microseconds: UInt64 = 0
        if sd_watchdog_enabled(0, &microseconds) > 0 {
            // Half of what systemd allows, as sd_watchdog_enabled(3) recommends.
            watchdogInterval = .microseconds(Int64(clamping: microseconds / 2))
        }
    }

    func ready(_ status: String) {
        notify("READY=1\nSTATUS=\(status)")
        feedWatchdog()
    }

    func status(_ text: String) { notify("STATUS=\(text)") }

    func stopping(_ status: String) { notify("STOPPING=1\nSTATUS=\(status)") }

    private func feedWatchdog() {
        guard let watchdogInterval else { return }
        notify("WATCHDOG=1")
        watchdogTimer = loop.timers.schedule(after: watchdogInterval) { [unowned self] in feedWatchdog() }
    }

    private func notify(_ state: String) { sd_notify(0, state) }
}

// The terminal that the client was started on, if it is handed over to a command.
import CClientShim
import Glibc

/// The settings that a terminal had, to be given back to it. A command may end and leave it in raw mode.
struct Terminal {
    private let descriptor: Int32
    private let settings: termios

    /// Nil if it is no terminal, or if the client is in the background of a shell: then what is typed there is not for it.
    init?(_ descriptor: Int32) {
        var settings = termios()
        guard tcgetattr(descriptor, &settings) == 0 else { return nil }
        let foreground = tcgetpgrp(descriptor)
        if foreground >= 0 && foreground != getpgrp() { return nil }
        self.descriptor = descriptor
        self.settings = settings
        // The client must not stop when it gives the settings back.
        signal(SIGTTOU, SIG_IGN)
    }

    func restore() {
        var settings = settings
        // It is gone if that fails.
        _ = tcsetattr(descriptor, TCSADRAIN, &settings)
    }
}

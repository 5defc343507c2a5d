// The terminal that a client has handed over as the standard input of its command.
import Glibc

final class Terminal {
    /// Its kind, as TERM names it; nil if the client has not said.
    let name: String?
    private let file: PassedFile
    /// As they were when the client handed it over.
    private var settings: termios

    /// Nil if the file is no terminal.
    init?(_ file: PassedFile, name: String?) {
        var settings = termios()
        // Only a device is asked: a file that a process serves could let the daemon wait.
        guard file.isDevice, tcgetattr(file.number, &settings) == 0 else { return nil }
        self.file = file
        self.name = name
        self.settings = settings
    }

    /// Undoes what a command has set that was ended, for a client that can no longer do it. A terminal that is gone
    /// needs nothing.
    func restore() { _ = tcsetattr(file.number, TCSANOW, &settings) }

    /// The daemon needs it no more.
    func close() { file.close() }
}

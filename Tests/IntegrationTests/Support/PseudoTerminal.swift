// A terminal that a test looks at and types on.
import CEpollShim
import Glibc
import TestSupport

final class PseudoTerminal {
    /// What programs have written to the terminal.
    let screen: Stream
    /// The programs' side, as a descriptor and as a path.
    let line: Int32
    let path: String
    private let keyboard: Int32

    init(columns: UInt16 = 80, rows: UInt16 = 24) throws {
        var ends: (keyboard: Int32, line: Int32) = (-1, -1)
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        var name = [CChar](repeating: 0, count: 64)
        try Spawned.quietly {
            try checked("openpty", openpty(&ends.keyboard, &ends.line, &name, nil, &size))
            for end in [ends.keyboard, ends.line] { try checked("fcntl", fcntl(end, F_SETFD, FD_CLOEXEC)) }
        }
        (keyboard, line) = ends
        path = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        screen = Stream(owning: try checked("fcntl", fcntl(keyboard, F_DUPFD_CLOEXEC, 0)))
        shim_set_nonblocking(keyboard)
    }

    deinit {
        close(line)
        close(keyboard)
    }

    /// Changes the size; the programs in front get SIGWINCH.
    func resize(columns: UInt16, rows: UInt16 = 24) throws {
        _ = try PipedProgram.run(["stty", "-F", path, "cols", "\(columns)", "rows", "\(rows)"])
    }

    /// Types; `\u{3}` is Ctrl-C.
    func type(_ text: String) throws { try writeAll(Array(text.utf8), to: keyboard) }

    /// The terminal's settings, tcgetattr(3).
    func settings() throws -> [UInt32] {
        var settings = termios()
        try checked("tcgetattr", tcgetattr(line, &settings))
        return [settings.c_iflag, settings.c_oflag, settings.c_cflag, settings.c_lflag]
    }
}

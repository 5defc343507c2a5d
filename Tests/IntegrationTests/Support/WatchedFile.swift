// A text file that others write, and the wait until something stands in it, by inotify.
import Glibc
import TestSupport

final class WatchedFile {
    let path: String
    private let inotify: Int32

    /// The file need not exist yet; its folder must.
    init(_ path: String) throws {
        self.path = path
        inotify = try checked("inotify_init1", inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK)))
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try checked(
            "inotify_add_watch",
            inotify_add_watch(inotify, folder, UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO)))
    }

    deinit { close(inotify) }

    var text: String { contents(path).text }
    var lines: [String] { text.split(separator: "\n").map(String.init) }

    /// Waits until a line contains each of the parts, and returns the first that does.
    @discardableResult
    func line(with parts: String...) throws -> String {
        try wait("a line with \(parts)") { lines in
            lines.first { line in parts.allSatisfy(line.contains) }
        }
    }

    /// Waits until `find` has found what it looks for in the file's lines.
    @discardableResult
    func wait<Result>(_ what: String, until find: ([String]) -> Result?) throws -> Result {
        let deadline = Deadline()
        while true {
            // Emptied before looking, so that nothing written afterwards is missed.
            var events = [UInt8](repeating: 0, count: 4096)
            while read(inotify, &events, events.count) > 0 {}
            if let found = find(lines) { return found }
            do {
                try deadline.wait(inotify, what: what)
            } catch is Overdue {
                throw Overdue(what: "\(what) in \(path):\n\(text)")
            }
        }
    }
}

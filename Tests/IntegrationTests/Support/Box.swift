// A folder for a test of the daemon: with the FIFOs that hold the stand-in, and the journal of what it ran.
import Foundation
import TestSupport

final class Box: Folder {
    /// What ran, and when: `start PID words…` and `end PID status` lines of the stand-in.
    let journal: WatchedFile
    private var fifos: [Fifo] = []

    override init() throws {
        let path = try Self.make()
        let file = path + "/journal"
        close(try checked("open", open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0o666)))
        journal = try WatchedFile(file)
        super.init(owning: path)
    }

    deinit {
        // A killed daemon leaves its command behind, and some of them wait for ever.
        for line in journal.lines {
            let words = line.split(separator: " ")
            guard words.count > 1, let pid = pid_t(words[1]), words[0] != "end" else { continue }
            if contents("/proc/\(pid)/environ").text.contains(path) { kill(pid, SIGKILL) }
        }
    }

    /// Makes a FIFO, which holds its readers as long as the box is there.
    func fifo(_ name: String = "fifo") throws -> Fifo {
        let fifo = try Fifo(path(name))
        fifos.append(fifo)
        return fifo
    }
}

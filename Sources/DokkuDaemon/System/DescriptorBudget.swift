// How many descriptors connections, spools, and pipes that commands have left behind may have, so that the next
// command can always start.
import CEpollShim

struct DescriptorBudget {
    /// Pipes that are kept open for processes which a command has left behind, where nothing is short.
    static let usualLeftOverPipes = 4096
    /// Files of spools beside the first of each connection, where nothing is short: of replies that wait for their
    /// readers, and of inputs.
    static let usualSpoolFiles = 1024
    /// What all else takes: the daemon's own files.
    private static let spare = 256

    /// Connections have numbers below this one, and the kernel gives out the lowest that is free. So the numbers from
    /// here on are for commands.
    let connectionEnd: Int
    let connections: Int
    /// Connections that are told that there are too many: these have numbers from there on.
    let turnedAway: Int
    let leftOverPipes: Int
    let spoolFiles: Int
    /// One for each connection. If descriptors are short: for as many as there are left, of those that need one.
    let firstFiles: Int

    /// `limit`: what the process may have open.
    init(limit: Int, connections: Int, besideQueue: Int) {
        let reserve = min(Self.reserve(besideQueue: besideQueue), limit / 2)
        connectionEnd = limit - reserve
        turnedAway = max(1, min(Self.usualTurnedAway, reserve / 4))
        // All of them together stay below that number. If there are too few, each has an eighth in any case, and the
        // connections five: most of them are idle and never need a file.
        let eighth = max(1, connectionEnd / 8)
        self.connections = min(connections, connectionEnd - 3 * eighth)
        let wanted = [self.connections, Self.usualSpoolFiles, Self.usualLeftOverPipes]
        var shares = wanted.map { min($0, eighth) }
        var rest = max(0, connectionEnd - self.connections - Self.spare - shares.reduce(0, +))
        for index in shares.indices {
            let more = min(wanted[index] - shares[index], rest)
            shares[index] += more
            rest -= more
        }
        (firstFiles, spoolFiles, leftOverPipes) = (shares[0], shares[1], shares[2])
    }

    /// What is needed to leave nothing short.
    static func wanted(connections: Int, besideQueue: Int) -> Int {
        2 * connections + usualSpoolFiles + spare + usualLeftOverPipes + reserve(besideQueue: besideQueue)
    }

    private static let usualTurnedAway = 16

    /// A command that starts opens up to eight (three pipes, the lock, its process, a file), and log and journal may be
    /// opened anew meanwhile; one that runs keeps up to four, and 64 in the queue may be over but for their output.
    private static func reserve(besideQueue: Int) -> Int { 32 + usualTurnedAway + 2 * 64 + 4 * besideQueue }
}

// How many descriptors connections, and pipes that commands have left behind, may have, so that the next command
// can always start.
import CEpollShim

struct DescriptorBudget {
    /// Pipes that are kept open for processes which a command has left behind, where nothing is short.
    static let usualLeftOverPipes = 4096
    /// What all else takes: the daemon's own files, and spools of several files.
    private static let spare = 256

    /// Connections have numbers below this one, and the kernel gives out the lowest that is free. So the numbers from
    /// here on are for commands.
    let connectionEnd: Int
    /// Connections that are told that there are too many: these have numbers from there on.
    let turnedAway: Int
    let leftOverPipes: Int

    /// `limit`: what the process may have open.
    init(limit: Int, connections: Int, besideQueue: Int) {
        let reserve = min(Self.reserve(besideQueue: besideQueue), limit / 2)
        connectionEnd = limit - reserve
        turnedAway = max(1, min(Self.usualTurnedAway, reserve / 4))
        let rest = connectionEnd - 2 * connections - Self.spare
        leftOverPipes = min(Self.usualLeftOverPipes, max(rest, connectionEnd / 4))
    }

    /// What is needed to leave nothing short: a connection with a slow reader has a file as well.
    static func wanted(connections: Int, besideQueue: Int) -> Int {
        2 * connections + spare + usualLeftOverPipes + reserve(besideQueue: besideQueue)
    }

    private static let usualTurnedAway = 16

    /// A command that starts opens up to eight (three pipes, the lock, its process, a file), and log and journal may be
    /// opened anew meanwhile; one that runs keeps up to four, and 64 in the queue may be over but for their output.
    private static func reserve(besideQueue: Int) -> Int { 32 + usualTurnedAway + 2 * 64 + 4 * besideQueue }
}

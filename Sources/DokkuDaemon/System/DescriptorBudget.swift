// How many descriptors may be used by connections, by spools, by what clients hand over, and by pipes that commands
// have left behind, so that the next command can always start.
import CEpollShim

struct DescriptorBudget {
    /// Pipes kept open for processes that a command has left behind, if descriptors are not scarce.
    static let usualLeftOverPipes = 4096
    /// Spool files besides the first one of each connection, if descriptors are not scarce: for inputs, and for
    /// replies that wait for their readers.
    static let usualSpoolFiles = 1024
    /// What clients hand over, if descriptors are not scarce: the streams of 256 requests.
    static let usualPassed = 768
    /// The daemon's own files, and all else.
    private static let spare = 256

    /// Connections have numbers below this one. The kernel gives out the lowest free number, so the numbers from
    /// here on stay free for commands.
    let connectionEnd: Int
    let connections: Int
    /// Connections that are only told that there are too many. Their numbers begin at `connectionEnd`.
    let turnedAway: Int
    let leftOverPipes: Int
    let spoolFiles: Int
    /// Descriptors that were handed over with requests.
    let passed: Int
    /// One for each connection. If descriptors are scarce there are fewer, and the connections that need one first
    /// get it.
    let firstFiles: Int

    /// `limit` is the process's limit of open descriptors.
    init(limit: Int, connections: Int, besideQueue: Int) {
        let reserve = min(Self.reserve(besideQueue: besideQueue), limit / 2)
        connectionEnd = limit - reserve
        turnedAway = max(1, min(Self.usualTurnedAway, reserve / 4))
        // All shares together stay below `connectionEnd`. If descriptors are scarce, each of three others gets an
        // eighth, and what is handed over a sixteenth. The connections get the rest: most of them are idle and never
        // need a file.
        let eighth = max(1, connectionEnd / 8)
        let sixteenth = connectionEnd / 16
        self.connections = min(connections, connectionEnd - 3 * eighth - sixteenth)
        let wanted = [
            self.connections, Self.usualSpoolFiles, Self.usualLeftOverPipes, Self.usualPassed,
        ]
        var shares = zip(wanted, [eighth, eighth, eighth, sixteenth]).map { min($0, $1) }
        var rest = max(0, connectionEnd - self.connections - Self.spare - shares.reduce(0, +))
        for index in shares.indices {
            let more = min(wanted[index] - shares[index], rest)
            shares[index] += more
            rest -= more
        }
        (firstFiles, spoolFiles, leftOverPipes, passed) = (shares[0], shares[1], shares[2], shares[3])
    }

    /// The limit of open descriptors at which nothing is scarce.
    static func wanted(connections: Int, besideQueue: Int) -> Int {
        2 * connections + usualSpoolFiles + spare + usualLeftOverPipes + usualPassed
            + reserve(besideQueue: besideQueue)
    }

    private static let usualTurnedAway = 16

    /// A starting command opens up to eight (three pipes, the lock, its process, a file), while log and journal may
    /// be reopened. A running command keeps up to four. 64 commands of the queue may have exited while their output
    /// has not ended.
    private static func reserve(besideQueue: Int) -> Int { 32 + usualTurnedAway + 2 * 64 + 4 * besideQueue }
}

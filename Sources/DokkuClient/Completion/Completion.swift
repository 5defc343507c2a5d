// What a shell offers while a person types: `dokku-client --complete WORD... CURRENT`, called by the scripts in
// packaging/completions. It prints what may stand in place of CURRENT, one word a line; the shell picks out what fits.

struct Completion {
    /// What may stand at a place of the command line.
    enum Place: Equatable {
        case option
        case command
        case app
        /// Nothing that can be known.
        case other
    }

    let place: Place
    private var socket: String?
    private var isElsewhere = false

    /// The last of the words is the one that is being typed; it may be empty.
    init(_ words: [[UInt8]]) {
        let words = words.map { String(decoding: $0, as: UTF8.self) }
        var rest = words.dropLast()[...]
        let current = words.last ?? ""
        var isPastOptions = false
        options: while let word = rest.first, word.hasPrefix("-"), !isPastOptions {
            rest.removeFirst()
            switch word {
            case "--": isPastOptions = true
            case "-S", "--socket", "-H", "--host", "--timeout", "--app":
                guard let value = rest.popFirst() else {
                    place = word == "--app" ? .app : .other
                    return
                }
                if word == "-S" || word == "--socket" { socket = value }
                if word == "-H" || word == "--host" { isElsewhere = true }
            default:
                if word.hasPrefix("--socket=") { socket = String(word.dropFirst("--socket=".count)) }
                if word.hasPrefix("--host=") { isElsewhere = true }
            }
        }
        // A submitted command stands behind the name of the built-in.
        if rest.first == "daemon:submit" {
            rest.removeFirst()
            isPastOptions = true
        }
        guard let name = rest.popFirst() else {
            place = current.hasPrefix("-") && !isPastOptions ? .option : .command
            return
        }
        let isFirst = rest.allSatisfy { $0.hasPrefix("-") } && !current.hasPrefix("-")
        place = isFirst && AppCommands.takesApp(name) ? .app : .other
    }

    /// Prints what may stand there.
    func offer() {
        let found = candidates()
        if !found.isEmpty { Message.print(found.joined(separator: "\n")) }
    }

    private static let options = [
        "--app", "--detach", "--force", "--help", "--host", "--json", "--quiet", "--socket", "--stdin",
        "--timeout", "--trace", "--version",
    ]

    private func candidates() -> [String] {
        switch place {
        case .option: return Self.options
        case .other: return []
        case .command, .app: break
        }
        // Nobody waits for ssh, or is asked for a password, by a Tab.
        if isElsewhere || Environment.value("DOKKU_HOST") != nil { return [] }
        let names = Names(SocketPath(named: socket).path)
        return place == .app ? names.apps() : names.commands()
    }
}

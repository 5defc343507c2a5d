// What the daemon has to know of a command before it hands it to dokku.
import DokkuProtocol

/// Whether a command comes to an end by itself.
enum Endless: Equatable, Sendable {
    case never
    /// With its build: at once where that is over.
    case build
    /// Only where one of these flags is given.
    case withFlag([String])
    /// As long as the program that it starts in a container.
    case program
    /// Serves dokku itself (the git hooks, the interactive shell), never a client.
    case internalCommand
}

struct CommandTraits: Equatable, Sendable {
    /// Named by `dokku help --all`.
    var isListed = false
    /// How it runs on a read-only socket; nil: in no way.
    var reading: Reading?
    var readsInput = false
    /// Asks on standard input before it destroys.
    var confirms = false
    var endless = Endless.never
    /// Works only when dokku is run by root.
    var needsRoot = false
    /// Its output may hold a secret, or is what an app, a build, a template or a file says.
    var showsSecret = false
    /// How many of the words after its name a log shows.
    var shownWords = Int.max

    /// True where the command, given these words after its name, never ends by itself.
    ///
    /// Flags are read with suspicion, as dokku's own parsers differ: `-qt` holds `-t`, `--tail=…` is `--tail`.
    func isEndless(_ words: ArgumentList, after nameIndex: Int) -> Bool {
        switch endless {
        case .withFlag(let flags):
            (nameIndex + 1..<words.count).contains { Self.word(words[$0], gives: flags) }
        case .never, .build, .program, .internalCommand: false
        }
    }

    private static func word(_ word: ArraySlice<UInt8>, gives flags: [String]) -> Bool {
        guard word.count > 1, word.first == UInt8(ascii: "-") else { return false }
        let body = word.dropFirst()
        return flags.contains { flag in
            let flag = flag.utf8.dropFirst()
            if flag.count == 1 {
                return body.first != UInt8(ascii: "-") && flag.first.map(body.contains) ?? false
            }
            return body.starts(with: flag)
                && (body.count == flag.count || body.dropFirst(flag.count).first == UInt8(ascii: "="))
        }
    }
}

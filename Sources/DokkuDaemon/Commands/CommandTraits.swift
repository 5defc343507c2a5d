// What the daemon must know about a command before it hands it to dokku.
import DokkuProtocol

/// Whether a command ends by itself.
enum Endless: Equatable, Sendable {
    case never
    /// With its build; at once if the build has ended.
    case build
    /// Endless only if one of these flags is given.
    case withFlag([String])
    /// When the program ends that it starts in a container.
    case program
    /// Serves dokku itself (the git hooks, the interactive shell), and never a client.
    case internalCommand
}

struct CommandTraits: Equatable, Sendable {
    /// Named by `dokku help --all`.
    var isListed = false
    var reach = Reach.host
    /// How it runs on a read-only socket; nil if it does not.
    var reading: Reading?
    var readsInput = false
    /// Asks on standard input before it destroys something.
    var confirms = false
    var endless = Endless.never
    /// Works only if root runs dokku.
    var needsRoot = false
    /// Its output may hold a secret, or is text of an app, a build, a template or a file.
    var showsSecret = false
    /// How many of the words after its name a log shows.
    var shownWords = Int.max

    /// True if the command, with these words after its name, never ends by itself.
    ///
    /// dokku's own parsers differ, so anything that may be the flag counts: `-qt` contains `-t`, and `--tail=…` is
    /// `--tail`.
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

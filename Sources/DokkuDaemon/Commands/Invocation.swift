// A command line of dokku. The command's name is found among the global flags, which are passed on unchanged.
import DokkuProtocol

struct Invocation: Equatable, Sendable {
    let arguments: ArgumentList
    let nameIndex: Int
    let name: String
    /// What is known about the command; nil for a plugin's command, or if there is no such command.
    let traits: CommandTraits?

    /// Nil if there is no name, or if it is not UTF-8.
    init?(_ arguments: ArgumentList) {
        guard let index = Self.nameIndex(in: arguments) else { return nil }
        self.init(arguments, nameIndex: index)
    }

    init?(_ arguments: ArgumentList, nameIndex: Int) {
        let word = arguments[nameIndex]
        let name = String(decoding: word, as: UTF8.self)
        // Decoding replaces what is not UTF-8. `String(validating:)` would report it, but takes ten times as long.
        guard name.utf8.elementsEqual(word) else { return nil }
        self.arguments = arguments
        self.nameIndex = nameIndex
        self.name = name
        traits = CommandTraits.of(name)
    }

    /// How many words follow the name.
    var argumentCount: Int { arguments.count - nameIndex - 1 }

    /// dokku finds this flag anywhere in the line.
    var hasForce: Bool { arguments.contains("--force") }
    var hasTrace: Bool { arguments.contains("--trace") }
    /// Whether an app is named before the command. dokku takes it as the command's first argument.
    var namesApp: Bool { (0..<nameIndex).contains { arguments.word($0, is: "--app") } }

    /// If root starts dokku, dokku stays root for these commands, and changes to its own user for all others. It
    /// matches the plugin commands by a regular expression, which holds anywhere in the name. It compares the
    /// others before it replaces an alias.
    var keepsRoot: Bool {
        CommandName.contains(name, "plugin") || CommandTable.traits[name]?.needsRoot == true
    }

    /// These commands accept their standard input only if it is a pipe.
    var readsOnlyPipes: Bool { name == "ssh-keys:add" || name == "git:auth" || name == "git:auth-status" }

    /// Whether this command talks to whoever has started it, so that it gets the client's own standard input, output and
    /// error, whatever they are.
    var isTalk: Bool { name == "enter" || name == "run" }

    /// Whether `run` has the flag `--no-tty`, before its app. With that, dokku takes no order to use a terminal.
    var refusesTerminal: Bool {
        guard name == "run" else { return false }
        var index = nameIndex + 1
        while index < arguments.count, arguments[index].first == UInt8(ascii: "-") {
            if arguments.word(index, is: "--no-tty") { return true }
            index += Self.runFlagsWithValue.contains { arguments.word(index, is: $0) } ? 2 : 1
        }
        return false
    }

    private static let runFlagsWithValue: [StaticString] = [
        "--cron-id", "--concurrency-policy", "-e", "--env", "--ttl-seconds",
    ]

    /// The index of the first word after the leading global flags, or nil.
    ///
    /// An app's name that looks like a flag is refused: some versions of dokku would drop it as a flag, and take
    /// the word after the command's name as the command.
    static func nameIndex(in arguments: ArgumentList) -> Int? {
        var index = 0
        while index < arguments.count {
            guard arguments[index].first == UInt8(ascii: "-") else { return index }
            if arguments.word(index, is: "--app") {
                guard index + 1 < arguments.count, !arguments[index + 1].starts(with: "--".utf8) else {
                    return nil
                }
                index += 2
            } else if isFlag(arguments, index) {
                index += 1
            } else {
                return index
            }
        }
        return nil
    }

    private static func isFlag(_ arguments: ArgumentList, _ index: Int) -> Bool {
        arguments.word(index, is: "--quiet") || arguments.word(index, is: "--trace")
            || arguments.word(index, is: "--force") || arguments.word(index, is: "--rm")
            || arguments.word(index, is: "--rm-container") || arguments.word(index, is: "--detach")
    }
}

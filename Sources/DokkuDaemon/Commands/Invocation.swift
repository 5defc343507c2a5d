// A command line of dokku with its name found among the global flags, which are passed on where they stand.
import DokkuProtocol

struct Invocation: Equatable, Sendable {
    let arguments: ArgumentList
    let nameIndex: Int
    let name: String
    /// What is known of the command; nil: of another's plugin, or none.
    let traits: CommandTraits?

    /// Nil where no name stands, or one that is not UTF-8.
    init?(_ arguments: ArgumentList) {
        guard let index = Self.nameIndex(in: arguments) else { return nil }
        self.init(arguments, nameIndex: index)
    }

    init?(_ arguments: ArgumentList, nameIndex: Int) {
        let word = arguments[nameIndex]
        let name = String(decoding: word, as: UTF8.self)
        // Decoding repairs what is not UTF-8. `String(validating:)` would say so itself, in ten times the time.
        guard name.utf8.elementsEqual(word) else { return nil }
        self.arguments = arguments
        self.nameIndex = nameIndex
        self.name = name
        traits = CommandTraits.of(name)
    }

    /// How many words follow the name.
    var argumentCount: Int { arguments.count - nameIndex - 1 }

    /// dokku finds this flag wherever it stands.
    var hasForce: Bool { arguments.contains("--force") }
    var hasTrace: Bool { arguments.contains("--trace") }
    /// An app named before the command, which dokku then takes for its first argument.
    var namesApp: Bool { (0..<nameIndex).contains { arguments.word($0, is: "--app") } }

    /// dokku, started by root, stays root for these and changes to its own user for all else. Its test for the plugin
    /// commands is a regular expression that holds wherever the word stands; the others it compares before it
    /// replaces an alias.
    var keepsRoot: Bool {
        CommandName.contains(name, "plugin") || CommandTable.traits[name]?.needsRoot == true
    }

    /// These take their standard input for what it should be only where it is a pipe.
    var readsOnlyPipes: Bool { name == "ssh-keys:add" || name == "git:auth" || name == "git:auth-status" }

    /// The index of the first word after the leading global flags, or nil.
    ///
    /// An app's name that looks like a flag is refused: some versions of dokku would drop it as one, and take the
    /// word after the command's name for the command.
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

// The client's command line. Its own options stand before the name of the command; everything after the name is dokku's.
import DokkuProtocol

struct Arguments: Equatable {
    /// Why a command line is none, in a line for people.
    struct Fault: Error, Equatable {
        var text: String
    }

    enum Form: Equatable {
        case command
        case help
        case version
    }

    var form = Form.command
    /// The path of the daemon's socket, if it is named.
    var socket: String?
    /// The hosts on which the command runs; none for this one.
    var hosts: [String] = []
    /// How long the command may run.
    var timeout: Duration?
    var isDetached = false
    /// Whether what the daemon itself tells comes as JSON.
    var isJSON = false
    /// Whether nothing but the command's output is shown.
    var isQuiet = false
    /// Whether the command gets standard input although it is not known to read it.
    var givesInput = false
    /// Whether the command ends when nobody reads its output any more, even if it writes nothing.
    var endsUnread = false
    /// dokku's global flags, the name of the command, and its words. At least one if the form is a command.
    var words = ArgumentList()

    /// `words` are those after the program's name. Called as `dokku`, the client has no options of its own.
    init(_ words: [[UInt8]], asDokku: Bool) throws(Fault) {
        var rest = words[...]
        if !asDokku { try takeOptions(&rest) }
        for word in rest {
            self.words.append(word)
            self.words.endWord()
        }
        if form != .command { return }
        // dokku finds it anywhere.
        if self.words.contains("--quiet") { isQuiet = true }
        if asDokku, rest.isEmpty || rest.first == Array("--help".utf8) || rest.first == Array("-h".utf8) {
            self.words = ["help"]
        }
        if self.words.isEmpty { throw Fault(text: "no command is given; \(Self.hint)") }
        if !asDokku, self.words.word(0, is: "dokku") {
            throw Fault(
                text: "leave out `dokku`: the command is the first word, as in dokku-client apps:list")
        }
    }

    static let hint = "see dokku-client --help"

    private mutating func takeOptions(_ rest: inout ArraySlice<[UInt8]>) throws(Fault) {
        while let word = rest.first, word.first == UInt8(ascii: "-"), word.count > 1 {
            let option = String(decoding: word, as: UTF8.self)
            if option == "--" {
                rest.removeFirst()
                return
            }
            // dokku finds its own flags before the name of the command, in the order in which they stand there.
            if Self.isGlobalFlag(option) {
                rest.removeFirst()
                words.append(word)
                words.endWord()
                if option == "--quiet" { isQuiet = true }
                if option == "--app" {
                    words.append(Array(try Self.value(of: option, nil, &rest).utf8))
                    words.endWord()
                }
                continue
            }
            rest.removeFirst()
            try take(option, &rest)
            if form != .command { return rest.removeAll() }
        }
    }

    private static func isGlobalFlag(_ option: String) -> Bool {
        ["--quiet", "--trace", "--force", "--rm", "--rm-container", "--app"].contains(option)
    }

    private mutating func take(_ option: String, _ rest: inout ArraySlice<[UInt8]>) throws(Fault) {
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let given = option.hasPrefix("--") && parts.count == 2 ? String(parts[1]) : nil
        let name = given == nil ? option : String(parts[0])
        switch name {
        case "-S", "--socket": socket = try Self.value(of: name, given, &rest)
        case "-H", "--host": hosts.append(try Self.value(of: name, given, &rest))
        case "--timeout": timeout = try Self.seconds(Self.value(of: name, given, &rest))
        case "-d",
            "--detach" where given == nil:
            isDetached = true
        case "--json" where given == nil: isJSON = true
        case "-q" where given == nil:
            isQuiet = true
            words.append(Array("--quiet".utf8))
            words.endWord()
        case "--stdin" where given == nil: givesInput = true
        case "--until-unread" where given == nil: endsUnread = true
        case "-h", "--help": form = .help
        case "-V", "--version": form = .version
        default: throw Fault(text: "\(option) is no option; \(Self.hint)")
        }
    }

    private static func value(
        of option: String, _ given: String?, _ rest: inout ArraySlice<[UInt8]>
    ) throws(Fault) -> String {
        if let given { return given }
        guard let word = rest.popFirst() else { throw Fault(text: "\(option) needs a value; \(hint)") }
        guard let value = String(validating: word, as: UTF8.self) else {
            throw Fault(text: "the value of \(option) is not UTF-8")
        }
        return value
    }

    private static func seconds(_ text: String) throws(Fault) -> Duration {
        guard let seconds = Double(text), seconds >= 0.001, seconds <= 1e9 else {
            throw Fault(text: "--timeout takes a number of seconds, not \(text)")
        }
        return .seconds(seconds)
    }
}

extension Arguments {
    /// The name of the command; nil if only flags are given.
    var name: String? { nameIndex.map(words.text) }

    /// How many words at the beginning are dokku's global flags, and values of these.
    var globalFlags: Int {
        var index = 0
        while index < words.count, Self.isGlobalFlag(words.text(index)) {
            let next = index + (words.word(index, is: "--app") ? 2 : 1)
            if next > words.count { break }
            index = next
        }
        return index
    }

    /// Where the name stands.
    var nameIndex: Int? {
        var index = 0
        while index < words.count {
            guard words[index].first == UInt8(ascii: "-") else { return index }
            index += words.word(index, is: "--app") ? 2 : 1
        }
        return nil
    }

    /// What the command is about: the app that a flag names, or the first word after the name that is no flag.
    var target: [UInt8]? {
        guard let nameIndex else { return nil }
        for index in 0..<nameIndex where words.word(index, is: "--app") { return Array(words[index + 1]) }
        return (nameIndex + 1..<words.count).map { Array(words[$0]) }.first { $0.first != UInt8(ascii: "-") }
    }

    /// The words with one more before the name.
    func words(with flag: String) -> ArgumentList {
        var all = ArgumentList()
        for index in 0..<words.count {
            if index == nameIndex {
                all.append(Array(flag.utf8))
                all.endWord()
            }
            all.append(words[index])
            all.endWord()
        }
        return all
    }
}

// What a command line changes, and so which other lines may run at the same time. docs/side-by-side.md gives the
// reasons.
import DokkuProtocol

enum Scope: Equatable, Sendable {
    case nothing
    /// The app of this name, and nothing else.
    case app(ArraySlice<UInt8>)
    /// Whatever is not surely less.
    case host
    /// The host, and what each dokku reads as it begins.
    case everything

    /// `changesFiles` is true if the line writes its output into a file.
    init(of invocation: Invocation, changesFiles: Bool) {
        self =
            switch invocation.traits?.reach {
            case .everything: .everything
            case _ where changesFiles: .host
            case .nothing: .nothing
            case .app(let flags): Self.app(of: invocation, after: flags).map(Scope.app) ?? .host
            case .host: .host
            case nil: Self.isHelp(invocation) ? .nothing : .host
            }
    }

    /// True if neither can damage what the other does. It does not matter which of the two asks.
    func mayRunBeside(_ other: Scope) -> Bool {
        switch (self, other) {
        case (.everything, _), (_, .everything): false
        case (.nothing, _), (_, .nothing): true
        case (.app(let name), .app(let otherName)): name != otherName
        case (.host, _), (_, .host): false
        }
    }

    /// Of all commands of a plugin, only its help is known to change nothing, as on read-only sockets.
    private static func isHelp(_ invocation: Invocation) -> Bool {
        invocation.argumentCount == 0 && CommandName.isHelp(invocation.name)
    }

    /// The app that the line is about; nil if it may be about another one, or about more.
    private static func app(of invocation: Invocation, after flags: [String]) -> ArraySlice<UInt8>? {
        let words = invocation.arguments
        var index = invocation.nameIndex + 1
        guard !(index..<words.count).contains(where: { widens(words[$0]) }) else { return nil }
        var app: ArraySlice<UInt8>?
        for index in 0..<invocation.nameIndex where words.word(index, is: "--app") {
            guard app == nil else { return nil }
            app = words[index + 1]
        }
        while app == nil, index < words.count {
            if words[index].first != UInt8(ascii: "-") {
                app = words[index]
            } else if let count = wordCount(of: words[index], among: flags) {
                index += count
            } else {
                return nil
            }
        }
        return app.flatMap { isAppName($0) ? $0 : nil }
    }

    /// True if the word may make the command one for another app, or for several. dokku finds `--app` anywhere.
    /// `--all-apps` is a flag, too.
    private static func widens(_ word: ArraySlice<UInt8>) -> Bool {
        guard word.first == UInt8(ascii: "-") else { return false }
        return word.elementsEqual("--app".utf8) || word.starts(with: "--all".utf8)
            || word.starts(with: "--global".utf8) || word.starts(with: "--parallel".utf8)
    }

    /// How many words a flag takes with its value; nil if `word` is none of the flags.
    private static func wordCount(of word: ArraySlice<UInt8>, among flags: [String]) -> Int? {
        for flag in flags {
            let takesValue = flag.utf8.last == UInt8(ascii: "=")
            if takesValue, word.starts(with: flag.utf8) { return 1 }
            if word.elementsEqual(flag.utf8.dropLast(takesValue ? 1 : 0)) { return takesValue ? 2 : 1 }
        }
        return nil
    }

    /// dokku gives an app no other name, but has older apps with a `_`.
    private static func isAppName(_ word: ArraySlice<UInt8>) -> Bool {
        word.first.map(isLetterOrDigit) ?? false
            && word.allSatisfy { isLetterOrDigit($0) || "._-".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}

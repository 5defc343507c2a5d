// How a command's answer is shown: which viewer, and which words ask for what it can show.
import DokkuProtocol

struct Presentation {
    /// What is sent.
    let words: ArgumentList
    let viewer: Viewer
    /// For a daemon that does not know such words: show the text that it has for people.
    let hasPlainForm: Bool

    init(_ arguments: Arguments) {
        let name = arguments.name ?? ""
        let output = Screen(Standard.output)
        let isAlone = arguments.nameIndex.map { $0 == arguments.words.count - 1 } ?? false
        if isAlone, let subject = Listing.Subject(rawValue: name) {
            words = Self.inJSON(arguments.words)
            viewer =
                arguments.isJSON
                ? TextViewer() : Listing(subject, on: output, hasHeader: !arguments.isQuiet)
            hasPlainForm = !arguments.isJSON
            return
        }
        words = arguments.words
        hasPlainForm = false
        viewer = Self.viewer(for: name, arguments, output)
    }

    private init(plain words: ArgumentList) {
        self.words = words
        viewer = TextViewer()
        hasPlainForm = false
    }

    /// For a daemon that knows no JSON.
    static func plain(_ arguments: Arguments) -> Presentation { Presentation(plain: arguments.words) }

    private static func inJSON(_ words: ArgumentList) -> ArgumentList {
        var words = words
        for word in ["--format", "json"] {
            words.append(Array(word.utf8))
            words.endWord()
        }
        return words
    }

    private static func viewer(for name: String, _ arguments: Arguments, _ output: Screen) -> Viewer {
        switch name {
        case "daemon:events":
            return output.isAlive && !arguments.isJSON
                ? BoardViewer(on: output) : EventList(isRaw: arguments.isJSON)
        case "daemon:wait", "daemon:output": break
        default: if OwnCommands.names.contains(name) { return TextViewer() }
        }
        let errors = Screen(Standard.error)
        // A program that has the terminal as its own also writes there by itself.
        if !errors.isAlive || arguments.isQuiet || arguments.isDetached || CommandInput.isConversation(name) {
            return PlainViewer()
        }
        let progress = Progress(shortForm(name, arguments), on: errors)
        if name == "daemon:wait", let target = arguments.target,
            let job = UInt64(String(decoding: target, as: UTF8.self))
        {
            progress.follow(job)
        }
        return progress
    }

    /// The name with the app. Another word may be a secret.
    private static func shortForm(_ name: String, _ arguments: Arguments) -> String {
        guard let target = arguments.target, !target.contains(UInt8(ascii: "=")), target.count < 40 else {
            return name
        }
        return "\(name) \(String(decoding: target, as: UTF8.self))"
    }
}

// The names of commands and apps: asked from the daemon, for a second at most, and kept for a minute.
import DokkuProtocol

struct Names {
    /// How long names count without being asked for again.
    static let lifetime = 60
    /// How long a daemon that did not answer in time is not asked again.
    static let pause = 10

    private let path: String
    private let store: NameStore
    private let deadline = Deadline(milliseconds: 1000)

    init(_ path: String) {
        self.path = path
        store = NameStore(for: path)
    }

    func commands() -> [String] {
        names("commands") {
            let dokku = ask(["commands"])
            // A socket may deny it, and has the other commands all the same.
            guard case .names(let names) = dokku, case .names(let own) = ask(["daemon:help"]) else {
                return dokku
            }
            return .names(names + own.filter { $0.hasPrefix("daemon:") })
        }
    }

    func apps() -> [String] { names("apps") { ask(["--quiet", "apps:list"]) } }

    private enum Answer {
        case names([String])
        case late
        /// Refused, or nobody is there.
        case none
    }

    private func names(_ kind: String, _ question: () -> Answer) -> [String] {
        let kept = store.names(kind)
        if let kept, kept.age < Self.lifetime { return kept.names }
        switch question() {
        case .names(let names):
            store.keep(names, kind, age: 0)
            return names
        case .late:
            let names = kept?.names ?? []
            store.keep(names, kind, age: Self.lifetime - Self.pause)
            return names
        case .none: return kept?.names ?? []
        }
    }

    /// The first word of each line of the answer that is a name.
    private func ask(_ words: [String]) -> Answer {
        var request = JSONRequest()
        for word in words {
            request.command.append(Array(word.utf8))
            request.command.endWord()
        }
        // If it waits behind a deploy, it waits no longer than the person who types.
        request.endsWithClient = true
        do {
            let connection = try Connection(to: path, patience: deadline.left)
            try connection.send(JSONRequestEncoder.line(request))
            while true {
                if let line = connection.nextLine() {
                    guard case .end(let last) = try ReplyLine(line).content, last.isOK else { return .none }
                    return .names(Self.names(last.output))
                }
                let left = deadline.left
                if left == 0 { return .late }
                var poll = Poll()
                poll.wantsRead(connection.descriptor)
                poll.wait(milliseconds: left)
                guard poll.canRead(connection.descriptor) else { return .late }
                if case .end = try connection.receive() { return .none }
            }
        } catch let failure as SystemFailure {
            return failure.wouldBlock ? .late : .none
        } catch {
            return .none
        }
    }

    /// A shell puts a name into the command line as it is, so nothing that means anything there is a name.
    private static func names(_ output: [UInt8]) -> [String] {
        output.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let word = line.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != UInt8(ascii: " ") }
            return isName(word) ? String(decoding: word, as: UTF8.self) : nil
        }
    }

    private static func isName(_ word: ArraySlice<UInt8>) -> Bool {
        !word.isEmpty
            && word.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "@"):
                    true
                default: false
                }
            }
    }
}

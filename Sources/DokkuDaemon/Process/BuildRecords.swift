// Which builds run, read from the files in which dokku records them.
//
// `builds:output` of a running build is a `tail -f`, which does not end with the build. dokku checks a build's
// record and its process to see whether it runs (plugins/builds/builds.go: ReadBuild, CheckPIDAlive), and finds an
// app's current build in a lock file (plugins/builds/subcommands.go: CommandOutput). This file does the same.
import CEpollShim
import DokkuProtocol
import Glibc

struct BuildRecords {
    private static let sizeLimit = 64 * 1024

    private let folder: String

    /// `library` is `DOKKU_LIB_ROOT`.
    init(library: String) { folder = "\(library)/data" }

    /// A build of an app: the one with an id, or the current one.
    struct Query: Equatable {
        var app: String
        var id: String?

        /// Nil for any other command, and for words that dokku does not accept as an app and a build.
        init?(_ invocation: Invocation) {
            guard invocation.name == "builds:output" else { return nil }
            let arguments = invocation.arguments
            var words = (invocation.nameIndex + 1..<arguments.count).map { arguments.text($0) }
            if words.first == "--" { words.removeFirst() }
            let flag = (0..<invocation.nameIndex).last { arguments.word($0, is: "--app") }
            if let flag { words.insert(arguments.text(flag + 1), at: 0) }
            guard let app = words.first, words.prefix(2).allSatisfy(Self.isFileName) else { return nil }
            self.app = app
            if words.count > 1, words[1] != "current" { id = words[1] }
        }

        fileprivate static func isFileName(_ word: String) -> Bool {
            let first = word.utf8.first
            return first != nil && first != UInt8(ascii: ".") && first != UInt8(ascii: "-")
                && !word.utf8.contains(UInt8(ascii: "/"))
        }
    }

    /// The build's id, if it runs now.
    func running(_ query: Query) -> String? {
        guard let id = query.id ?? current(of: query.app), isRunning(id, of: query.app) else { return nil }
        return id
    }

    /// The build that deploys the app now.
    private func current(of app: String) -> String? {
        guard let bytes = contents("apps/\(app)/.deploy.lock") else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        let id = words.first.map(String.init)
        return id.flatMap { Query.isFileName($0) ? $0 : nil }
    }

    func isRunning(_ id: String, of app: String) -> Bool {
        guard let bytes = contents("builds/\(app)/\(id).json"), let document = try? JSONDocument(bytes.span)
        else { return false }
        var isRunning = false
        var pid: Int64 = 0
        document.withValue { record in
            record.forEachMember { key, value in
                if key.elementsEqual("status".utf8) {
                    isRunning = value.string?.elementsEqual("running".utf8) ?? false
                } else if key.elementsEqual("pid".utf8) {
                    pid = value.integer ?? 0
                }
            }
        }
        guard isRunning, let pid = pid_t(exactly: pid), pid > 0 else { return false }
        return kill(pid, 0) == 0 || errno == EPERM
    }

    private func contents(_ name: String) -> [UInt8]? {
        guard let file = try? Descriptor.open("\(folder)/\(name)", O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
            (try? file.isRegularFile()) == true
        else { return nil }
        return try? file.readStart(Self.sizeLimit)
    }
}

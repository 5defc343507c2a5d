// Whether dokku's shell tracing is on. If so, every command prints each value that it reads.
import DokkuProtocol
import Glibc

/// Searches the files that dokku sources at its start (dokku's script `dokku`): `/etc/default/dokku`, `dokkurc` in
/// its root, and the files in `.dokkurc` there, where `trace:on` puts one.
final class Tracing {
    private static let words = ["DOKKU_TRACE", "set -x", "xtrace"]
    private static let sizeLimit = 1024 * 1024

    private let defaults: String
    /// `DOKKU_ROOT`; if nil, the home of dokku's user.
    private var root: String?
    /// The sourced files, and the folder that may get more of them.
    private var paths: [String] = []
    private var stamps: [FileStamp] = []
    private var wasOn = false

    init(environment: [String: String], defaults: String = "/etc/default/dokku") {
        self.defaults = defaults
        root = environment["DOKKU_ROOT"]
    }

    /// Whether tracing is on now. If nothing has changed, it costs one stat(2) per file.
    var isOn: Bool {
        if paths.isEmpty || paths.map(FileStamp.init) != stamps {
            paths = sourced()
            stamps = paths.map(FileStamp.init)
            wasOn = paths.contains(where: Self.turnsItOn)
        }
        return wasOn
    }

    private func sourced() -> [String] {
        if root == nil { root = Account.named("dokku")?.home }
        guard let root else { return [defaults] }
        var found = glob_t()
        defer { globfree(&found) }
        var paths = [defaults, "\(root)/dokkurc", "\(root)/.dokkurc"]
        guard glob("\(root)/.dokkurc/*", 0, nil, &found) == 0 else { return paths }
        for index in 0..<Int(found.gl_pathc) {
            if let path = found.gl_pathv[index] { paths.append(String(cString: path)) }
        }
        return paths
    }

    /// Whether a line seems to turn tracing on, as far as can be told without a shell. A line that turns it off
    /// counts, too.
    private static func turnsItOn(_ path: String) -> Bool {
        guard let file = try? Descriptor.open(path, O_RDONLY | O_NONBLOCK),
            (try? file.isRegularFile()) == true, let bytes = try? file.readStart(sizeLimit)
        else { return false }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).contains { line in
            let code = line.drop(while: \.isWhitespace)
            return !code.hasPrefix("#") && words.contains { find($0, in: code) }
        }
    }

    private static func find(_ word: String, in line: Substring) -> Bool {
        let (bytes, sought) = (Array(line.utf8), Array(word.utf8))
        return (0..<max(0, bytes.count - sought.count + 1)).contains {
            bytes[$0..<$0 + sought.count].elementsEqual(sought)
        }
    }
}

extension Refusal {
    static let traced = Refusal(
        code: .denied,
        text: "Not allowed on this read-only socket while tracing is on (dokku trace:off)")
}

// Whether dokku traces what it does. It then prints every value that it reads, whatever the command.
import DokkuProtocol
import Glibc

/// Looks into what dokku sources before it begins (dokku's script `dokku`): `/etc/default/dokku`, `dokkurc` in its root,
/// and what is in `.dokkurc` there, where `trace:on` leaves a file.
final class Tracing {
    private static let words = ["DOKKU_TRACE", "set -x", "xtrace"]
    private static let sizeLimit = 1024 * 1024

    private let defaults: String
    /// `DOKKU_ROOT`; nil: the home of dokku's user.
    private var root: String?
    /// What is sourced, and the folder that may get more of it.
    private var paths: [String] = []
    private var stamps: [FileStamp] = []
    private var wasOn = false

    init(environment: [String: String], defaults: String = "/etc/default/dokku") {
        self.defaults = defaults
        root = environment["DOKKU_ROOT"]
    }

    /// As of now. Costs a stat(2) a file where nothing has changed.
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

    /// Whether a line says so, as far as can be told without a shell: one that turns it off says so, too.
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
        text: "Not allowed on this read-only socket while dokku traces what it does (trace:off ends that)")
}

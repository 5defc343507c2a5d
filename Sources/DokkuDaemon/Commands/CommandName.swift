// The form of command names. dokku makes a folder and a file of the parts before and after a name's first colon,
// and runs that file. It drops leading words that begin with two dashes. No name may be misused for either.

enum CommandName {
    /// A name becomes a file's name, so this is the longest one.
    private static let maxLength = 255

    /// True for non-empty parts, separated by colons, of letters, digits, `_`, `-` and inner dots, except dokku's
    /// internal names. Letters must be lower case unless `anyCase` is set, because a plugin may list any name.
    static func isWellFormed(_ name: some Collection<UInt8>, anyCase: Bool = true) -> Bool {
        guard name.count <= maxLength, name.first != UInt8(ascii: "-"), !name.starts(with: "git-".utf8)
        else { return false }
        var startsPart = true
        for byte in name {
            switch byte {
            case UInt8(ascii: ":") where !startsPart: startsPart = true
            case UInt8(ascii: ".") where !startsPart, UInt8(ascii: "_"), UInt8(ascii: "-"): startsPart = false
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                startsPart = false
            case UInt8(ascii: "A")...UInt8(ascii: "Z") where anyCase: startsPart = false
            default: return false
            }
        }
        return !startsPart
    }

    /// `NAME:help`, which is valid whether it is listed or not.
    static func isHelp(_ name: String) -> Bool {
        ends(name, with: ":help") && isWellFormed(name.utf8, anyCase: false)
    }

    /// The two names that look like flags. dokku may take words after them as the command.
    static func isVersionFlag(_ name: String) -> Bool { name == "--version" || name == "-v" }

    static func ends(_ name: String, with suffix: StaticString) -> Bool {
        suffix.withUTF8Buffer { name.utf8.suffix($0.count).elementsEqual($0) }
    }

    static func contains(_ name: String, _ part: StaticString) -> Bool {
        part.withUTF8Buffer { part in
            var rest = name.utf8[...]
            while rest.count >= part.count {
                if rest.starts(with: part) { return true }
                rest = rest.dropFirst()
            }
            return false
        }
    }

    /// dokku's short names for its own plugins.
    private static let aliases = [
        "docker-local": "scheduler-docker-local", "k3s": "scheduler-k3s",
        "dockerfile": "builder-dockerfile", "herokuish": "builder-herokuish", "lambda": "builder-lambda",
        "nixpacks": "builder-nixpacks", "pack": "builder-pack", "rails": "builder-railpack",
    ]
    private static let shortNames = Dictionary(uniqueKeysWithValues: aliases.map { ($1, $0) })

    /// The name that `name` is an alias of.
    static func target(ofAlias name: String) -> String? { replacingPrefix(of: name, from: aliases) }

    /// The alias of `name`.
    static func alias(of name: String) -> String? { replacingPrefix(of: name, from: shortNames) }

    private static func replacingPrefix(of name: String, from names: [String: String]) -> String? {
        let end = name.utf8.firstIndex(of: UInt8(ascii: ":")) ?? name.endIndex
        return names[String(name[..<end])].map { $0 + name[end...] }
    }
}

// The names that dokku knows: those that its help lists, and those that exist without being listed.
import DokkuProtocol

struct Catalogue: Equatable, Sendable {
    /// In the order of the help, without repetition.
    let listedNames: [String]
    private let names: Set<String>

    /// Reads what `dokku help --all` wrote to standard output. Nil if that names no command: then it is not dokku's,
    /// or dokku failed.
    init?(helpOutput: [UInt8]) {
        let lines = AnsiFilter.text(of: helpOutput).split(separator: UInt8(ascii: "\n"))
        self.init(listed: lines.compactMap(Self.name(inLine:)))
        if listedNames.isEmpty { return nil }
    }

    /// From stored names. Names that no command can have are left out.
    init(listed: [String]) {
        var seen = Set<String>()
        listedNames = listed.filter { CommandName.isWellFormed($0.utf8) && seen.insert($0).inserted }
        for (name, traits) in CommandTable.traits
        where !traits.isListed && traits.endless != .internalCommand {
            seen.insert(name)
        }
        seen.insert("help")
        seen.formUnion(seen.compactMap(CommandName.alias(of:)))
        names = seen
    }

    /// True if dokku has a command of exactly this name, or if the name asks for help, which dokku itself may
    /// refuse.
    func contains(_ name: String) -> Bool { names.contains(name) || CommandName.isHelp(name) }

    /// What the lock file holds: the listed names, one per line.
    var lockFileText: [UInt8] {
        var text: [UInt8] = []
        for name in listedNames {
            text.append(contentsOf: name.utf8)
            text.append(UInt8(ascii: "\n"))
        }
        return text
    }

    /// The name on a line that is exactly four blanks and a name. If the host has no `column` to pad the line, a
    /// comma ends the name.
    private static func name(inLine line: ArraySlice<UInt8>) -> String? {
        let text = line.drop { $0 == UInt8(ascii: " ") }
        guard text.startIndex - line.startIndex == 4 else { return nil }
        let name = text.prefix { !" \t\r,".utf8.contains($0) }
        return CommandName.isWellFormed(name) ? String(decoding: name, as: UTF8.self) : nil
    }
}

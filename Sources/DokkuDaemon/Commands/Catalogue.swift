// The names that dokku knows: what its help lists, and what exists without being listed.

struct Catalogue: Equatable, Sendable {
    /// A help that names no command at all: not dokku's, or one that failed.
    struct Unreadable: Error, Equatable {}

    /// In the order of the help, none twice.
    let listedNames: [String]
    private let names: Set<String>

    /// Reads what `dokku help --all` wrote to standard output.
    init(helpOutput: some Collection<UInt8>) throws(Unreadable) {
        let lines = Array(helpOutput).split(separator: UInt8(ascii: "\n"))
        self.init(listed: lines.compactMap(Self.name(inLine:)))
        if listedNames.isEmpty { throw Unreadable() }
    }

    /// From names kept earlier. What no command can be called is left out.
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

    /// True where dokku has a command of exactly this name, or it asks for a help, which dokku may refuse.
    func contains(_ name: String) -> Bool { names.contains(name) || CommandName.isHelp(name) }

    /// What the lock file holds: a listed name a line.
    var lockFileText: [UInt8] {
        var text: [UInt8] = []
        for name in listedNames {
            text.append(contentsOf: name.utf8)
            text.append(UInt8(ascii: "\n"))
        }
        return text
    }

    /// The name on a line of exactly four blanks and a name. A comma ends it where `column` was not there to pad.
    private static func name(inLine line: ArraySlice<UInt8>) -> String? {
        let line = withoutEscapes(line)
        let start = line.prefix { $0 == UInt8(ascii: " ") }.count
        guard start == 4 else { return nil }
        let end = line[start...].firstIndex { " \t\r,".utf8.contains($0) } ?? line.endIndex
        guard CommandName.isWellFormed(line[start..<end]) else { return nil }
        return String(decoding: line[start..<end], as: UTF8.self)
    }

    /// The line without CSI sequences and the short escapes that `tput` writes.
    private static func withoutEscapes(_ line: ArraySlice<UInt8>) -> [UInt8] {
        enum State { case text, escape, parameters }
        var state = State.text
        var text: [UInt8] = []
        text.reserveCapacity(line.count)
        for byte in line {
            switch (state, byte) {
            case (.text, 0x1b): state = .escape
            case (.text, _): text.append(byte)
            case (.escape, UInt8(ascii: "[")): state = .parameters
            case (.escape, 0x20...0x2f): break
            case (.escape, _): state = .text
            case (.parameters, 0x40...0x7e): state = .text
            case (.parameters, _): break
            }
        }
        return text
    }
}

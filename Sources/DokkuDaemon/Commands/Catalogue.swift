// The names that dokku knows: those that its help lists, and those that exist without being listed.

struct Catalogue: Equatable, Sendable {
    /// The help names no command: it is not dokku's, or dokku failed.
    struct Unreadable: Error, Equatable {}

    /// In the order of the help, without repetition.
    let listedNames: [String]
    private let names: Set<String>

    /// Reads what `dokku help --all` wrote to standard output.
    init(helpOutput: some Collection<UInt8>) throws(Unreadable) {
        let lines = Array(helpOutput).split(separator: UInt8(ascii: "\n"))
        self.init(listed: lines.compactMap(Self.name(inLine:)))
        if listedNames.isEmpty { throw Unreadable() }
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
        let line = withoutEscapes(line)
        let start = line.prefix { $0 == UInt8(ascii: " ") }.count
        guard start == 4 else { return nil }
        let end = line[start...].firstIndex { " \t\r,".utf8.contains($0) } ?? line.endIndex
        guard CommandName.isWellFormed(line[start..<end]) else { return nil }
        return String(decoding: line[start..<end], as: UTF8.self)
    }

    /// The line without CSI sequences and without the short escapes that `tput` writes.
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

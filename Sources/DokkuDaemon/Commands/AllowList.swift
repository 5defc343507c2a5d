// The commands that a socket with `allow=` may run: the lines of its list.
import DokkuProtocol

struct AllowList: Equatable, Sendable {
    let lines: [AllowLine]
    /// In their order, by the name of their command. A request is compared with those of its own command alone, because
    /// a list may have thousands of lines.
    private let linesByName: [String: [AllowLine]]

    /// What is wrong with each wrong line.
    struct Fault: Error, Equatable { let lines: [String] }

    init(parsing bytes: some Collection<UInt8>) throws(Fault) {
        var lines: [AllowLine] = []
        var faults: [String] = []
        let texts = Array(bytes).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, text) in texts.enumerated() {
            do throws(AllowLine.Fault) {
                if let line = try AllowLine(text, number: index + 1) { lines.append(line) }
            } catch {
                faults.append("line \(index + 1): \(error.text)")
            }
        }
        if !faults.isEmpty { throw Fault(lines: faults) }
        self.lines = lines
        linesByName = Dictionary(grouping: lines, by: \.name)
    }

    /// The first line that allows the words; nil if none does.
    func line(allowing arguments: ArgumentList, hasInput: Bool) -> AllowLine? {
        // No flag stands for another one, so if the words of a line match, its name is where the request's name is.
        guard let index = Invocation.nameIndex(in: arguments) else { return nil }
        return linesByName[arguments.text(index)]?.first { $0.allows(arguments, hasInput: hasInput) }
    }

    /// Whether a command of this name may run with some words.
    func names(_ name: String) -> Bool { linesByName[name] != nil }
}

// The programs of docs/examples, as they are started from the tree, with their interpreters by their first lines.
import TestSupport

/// All that a program printed, and how it ended.
struct ProgramResult: Equatable {
    let output: String
    let exit: Spawned.Exit
}

extension PipedProgram {
    static func example(_ name: String, _ words: [String] = [], socket: String) throws -> PipedProgram {
        try PipedProgram(
            [Repository.path("docs/examples/\(name)")] + words, environment: ["DOKKU_SOCK_PATH": socket])
    }

    /// Ends the program's input and reads all of its output.
    func finish() throws -> ProgramResult {
        endInput()
        return ProgramResult(output: try output.rest().text, exit: try process.wait())
    }

    /// Reads the output up to a line that has all of the parts, and returns it.
    @discardableResult
    func shows(_ parts: String...) throws -> String {
        let deadline = ContinuousClock.now + .patience
        var last = ""
        while ContinuousClock.now < deadline, let line = try output.line()?.text {
            if parts.allSatisfy(line.contains) { return line }
            last = line
        }
        throw Overdue(what: "a line with \(parts), after \(last)")
    }
}

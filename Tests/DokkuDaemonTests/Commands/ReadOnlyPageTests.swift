// The page that says what a read-only socket runs, and why, against the table: neither says more than the other.
import Foundation
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct ReadOnlyPageTests {
    /// A row of a table of the page: the commands and the flags, without their quotes, and all of its text.
    private struct Row {
        var commands: [String]
        var flags: [String]
        var needsFlag: Bool
        var cells: [String]

        init(_ line: Substring) {
            cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            commands = Self.quoted(cells[0])
            flags = Self.quoted(cells[1])
            needsFlag = cells[1].hasPrefix("one of these, and one app at most: ")
        }

        private static func quoted(_ text: String) -> [String] {
            text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }.map { String($0.element) }
        }
    }

    /// The rows of the two tables: what runs, and what does not.
    private func tables() throws -> (runs: [Row], refused: [Row]) {
        let page = try String(contentsOfFile: Repository.path("docs/read-only.md"), encoding: .utf8)
        let parts = page.components(separatedBy: "\n## ").dropFirst().map { part in
            part.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(Row.init)
        }
        try #require(parts.count == 2)
        return (parts[0], parts[1])
    }

    @Test func `the page names exactly what runs`() throws {
        let rows = try tables().runs
        #expect(rows.flatMap(\.commands).sorted() == CommandFacts.harmless.sorted())
        for row in rows {
            #expect(
                row.cells.count == 4 && row.cells[2].contains("`") && !row.cells[3].isEmpty, "\(row.cells)")
            for command in row.commands {
                let reading = try #require(CommandTable.traits[command]?.reading)
                #expect(reading.flags.split(separator: " ").map(String.init) == row.flags, "\(command)")
                #expect(reading.needsFlag == row.needsFlag, "\(command)")
            }
        }
    }

    @Test func `each flag of the page runs`() throws {
        for row in try tables().runs {
            for command in row.commands {
                for flag in row.flags where !(row.needsFlag && flag == "--global") {
                    for name in ["", "computed-", "global-"] {
                        let flag = flag.replacing("@", with: name).replacing("*", with: "web.1")
                        #expect(
                            judge("\(command) \(flag)", on: .readOnly).lane == .queue, "\(command) \(flag)")
                        #expect(judge("\(command) app \(flag)", on: .readOnly).lane == .queue)
                    }
                }
                #expect((judge("\(command) --other", on: .readOnly).lane) == nil, "\(command)")
            }
        }
    }

    @Test func `each form that the page refuses is refused`() throws {
        let rows = try tables().refused
        for row in rows {
            #expect(row.cells.count == 3 && !row.cells[2].isEmpty, "\(row.cells)")
            for command in row.commands {
                #expect(CommandTable.traits[command] != nil, "\(command)")
                #expect(judge("\(command) app", Forms.stream, on: .readOnly).code == .denied, "\(command)")
            }
        }
    }

    /// What sounds like reading is on the page in any case, so that nobody has to wonder.
    @Test func `the page leaves out nothing that sounds harmless`() throws {
        let (runs, refused) = try tables()
        let named = Set((runs + refused).flatMap(\.commands))
        let endings = [
            "report", "list", "show", "info", "keys", "exists", "logs", "status", "preview", "detect",
            "inspect",
            "show-config", "output", "get", "export", "installed", "locked", "public-key", "wait", "key",
        ]
        for name in CommandTable.traits.keys {
            guard let ending = name.split(separator: ":").dropFirst().last, endings.contains(String(ending))
            else {
                continue
            }
            #expect(named.contains(name), "\(name)")
        }
        #expect(named.count == runs.flatMap(\.commands).count + refused.flatMap(\.commands).count)
    }
}

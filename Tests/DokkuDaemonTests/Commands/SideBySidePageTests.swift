// The page that says what each command changes, and why, against the table: neither says more than the other.
import Foundation
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct SideBySidePageTests {
    /// A row of a table of the page: the commands, and the cells after them.
    private struct Row {
        var commands: [String]
        var cells: [String]

        init(_ line: Substring) {
            cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            commands = Self.quoted(cells.removeFirst())
        }

        static func quoted(_ text: String) -> [String] {
            text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }.map { String($0.element) }
        }
    }

    private func rows(under heading: String) throws -> [Row] {
        let page = try String(contentsOfFile: Repository.path("docs/side-by-side.md"), encoding: .utf8)
        let parts = page.components(separatedBy: "\n## ").filter { $0.hasPrefix(heading + "\n") }
        try #require(parts.count == 1)
        return parts[0].split(separator: "\n").filter { $0.hasPrefix("| `") }.map(Row.init)
    }

    private func names(_ holds: (CommandTraits) -> Bool) -> [String] {
        CommandTable.traits.filter { holds($0.value) }.keys.sorted()
    }

    @Test func `the page names exactly what changes nothing`() throws {
        let rows = try rows(under: "Changes nothing")
        #expect(
            rows.flatMap(\.commands).sorted() == names { $0.reach == .nothing && $0.reading == nil })
        #expect(rows.allSatisfy { $0.cells.count == 2 && $0.cells[0].contains("`") && !$0.cells[1].isEmpty })
    }

    @Test func `the page names exactly what changes one app, and the flags before it`() throws {
        let rows = try rows(under: "Changes one app")
        #expect(
            rows.flatMap(\.commands).sorted()
                == names { if case .app = $0.reach { true } else { false } })
        for row in rows {
            #expect(row.cells.count == 2 && !row.cells[1].isEmpty, "\(row.cells)")
            for command in row.commands {
                #expect(
                    CommandTable.traits[command]?.reach == .app(flags: Row.quoted(row.cells[0])), "\(command)"
                )
            }
        }
    }

    @Test func `the page names exactly what changes the host`() throws {
        let rows = try rows(under: "Changes the host")
        #expect(rows.flatMap(\.commands).sorted() == names { $0.reach == .host })
        #expect(rows.allSatisfy { $0.cells.count == 1 && !$0.cells[0].isEmpty })
    }

    @Test func `the page names exactly what runs alone`() throws {
        let rows = try rows(under: "Runs alone")
        #expect(rows.flatMap(\.commands).sorted() == names { $0.reach == .everything })
        #expect(rows.allSatisfy { $0.cells.count == 1 && !$0.cells[0].isEmpty })
    }

    @Test func `the page and read-only.md have each command once`() throws {
        let headings = ["Changes nothing", "Changes one app", "Changes the host", "Runs alone"]
        let all = try headings.flatMap { try rows(under: $0).flatMap(\.commands) }
        #expect(Set(all).count == all.count)
        let readOnly = names { $0.reading != nil }
        #expect((all + readOnly).sorted() == CommandTable.traits.keys.sorted())
    }
}

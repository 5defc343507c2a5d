// What becomes of lines that the log does not take: they are counted, and no line runs into another. A FIFO stands for
// the file: it is full and empty when a test says so.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite final class AuditLogTests {
    private let folder: Folder
    private let said = Said()

    private final class Said { var lines: [String] = [] }

    init() throws { folder = try Folder() }

    private func log(_ name: String = "log") -> AuditLog {
        AuditLog(path: folder.path(name)) { [said] in said.lines.append($0) }
    }

    /// The reading end of a FIFO at the log's path.
    private func fifo() throws -> Descriptor {
        mkfifo(folder.path("log"), 0o600)
        return try Descriptor.open(folder.path("log"), O_RDONLY | O_NONBLOCK)
    }

    private func lines(of reader: borrowing Descriptor) -> [String] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(reader.number, &part, part.count), count > 0 { bytes += part[..<count] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    /// The line without its date; the whole line if it has none.
    private func text(_ line: String) -> String {
        let date = #/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\] /#
        return line.firstMatch(of: date) == nil ? "no date: \(line)" : line.replacing(date, with: "")
    }

    /// More than a pipe holds.
    private let long = String(repeating: "x", count: 1 << 20)

    @Test func `a line that was cut is ended before the next one`() throws {
        let reader = try fifo()
        let log = log()
        log.note("before")
        log.note(long)
        #expect(said.lines == ["the log \(folder.path("log")) cannot be written: lines are being lost"])
        let taken = lines(of: reader)
        #expect(taken.count == 2 && text(taken[0]) == "before")
        #expect(taken[1].hasSuffix("xx") && taken[1].count < long.count)
        log.note("after")
        let rest = lines(of: reader)
        // The first is the rest of the cut line.
        #expect(rest.map { $0.isEmpty ? "" : text($0) } == ["", "1 lines were lost here", "after", ""])
        #expect(said.lines.count == 1)
    }

    @Test(
        arguments: [
            (nil, ""), ("/system.slice/docker-4f1c.scope", " cgroup=/system.slice/docker-4f1c.scope"),
            ("/user@1000.service/a=b", " cgroup=/user@1000.service/a=b"),
            (#"/a\x2db"#, #" cgroup=/a\\x2db"#),
            // Who may name a group cannot make the line say something else.
            ("/a gid=0 refresh", #" cgroup="/a gid=0 refresh""#), ("/a\"b", #" cgroup="/a\"b""#),
            ("/a\u{1b}[2J\rb\u{202e}", #" cgroup=/a\u{1b}[2J\rb\u{202e}"#),
            (
                "/" + String(repeating: "x", count: 5000),
                " cgroup=/" + String(repeating: "x", count: 1020) + "…"
            ),
        ] as [(String?, String)])
    func `a client's control group is one word`(cgroup: String?, shown: String) throws {
        var peer = Peer.sample
        peer.cgroup = cgroup
        log().answered("refresh", peer: peer, answer: "")
        let line = try #require(try folder.read("log").split(separator: "\n").first)
        #expect(text(String(line)) == "[cmd] - pid=1 uid=2 gid=3\(shown) refresh")
    }

    @Test func `lines that are lost are counted where they would stand`() throws {
        let reader = try fifo()
        let log = log()
        log.note(long)
        for number in 0..<9 { log.note("lost \(number)") }
        #expect(said.lines.count == 1)
        _ = lines(of: reader)
        log.note("after")
        log.note("later")
        #expect(
            lines(of: reader).dropFirst().dropLast().map(text) == [
                "10 lines were lost here", "after", "later",
            ])
    }

    @Test func `a second loss is counted and complained of anew`() throws {
        let reader = try fifo()
        let log = log()
        for round in 1...2 {
            log.note(long)
            log.note("lost")
            #expect(said.lines.count == round)
            _ = lines(of: reader)
            log.note("after")
            #expect(
                lines(of: reader).dropFirst().dropLast().map(text) == ["2 lines were lost here", "after"])
        }
    }

    @Test func `a full disk loses lines and is complained of once`() {
        let log = AuditLog(path: "/dev/full") { [said] in said.lines.append($0) }
        for _ in 0..<3 { log.note("lost") }
        #expect(said.lines == ["the log /dev/full cannot be written: lines are being lost"])
    }

    @Test func `a log that could not be opened says how many lines it lacks`() throws {
        let log = log("later/log")
        #expect(said.lines.count == 1 && said.lines[0].contains("cannot be opened"))
        for _ in 0..<3 { log.note("lost") }
        #expect(said.lines.count == 2 && said.lines[1].contains("lines are being lost"))
        try folder.makeFolder("later")
        log.reopen()
        log.note("after")
        let lines = try folder.read("later/log").split(separator: "\n").map { text(String($0)) }
        #expect(lines == ["3 lines were lost here", "after"])
    }

    @Test func `a log that was moved away goes on in the new file`() throws {
        let log = log()
        log.note("before")
        rename(folder.path("log"), folder.path("log.1"))
        log.note("still")
        log.reopen()
        log.note("after")
        func texts(_ name: String) throws -> [String] {
            try folder.read(name).split(separator: "\n").map { text(String($0)) }
        }
        #expect(try texts("log.1") == ["before", "still"])
        #expect(try texts("log") == ["after"])
        #expect(try folder.status("log").st_mode & 0o777 & ~0o640 == 0)
    }

    @Test func `no log takes nothing and complains of nothing`() {
        let log = AuditLog(path: nil) { [said] in said.lines.append($0) }
        log.note("nothing")
        log.reopen()
        #expect(!log.isOn && log.excerptLimit == 0 && said.lines == [])
    }
}

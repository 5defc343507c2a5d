// Output of any size and kind: every reply is one line of JSON that two parsers of other hands agree on.
import Glibc
import TestSupport
import Testing

@Suite struct OutputTests {
    /// What Python and Node make of the reply, which must be the same: its length in bytes and its digest.
    private func digest(_ daemon: DaemonProcess, _ line: String, like file: String? = nil) throws -> String {
        let given = [daemon.path, line]
        let python = try PipedProgram.run(
            ["python3", DaemonProcess.client("digest.py")] + given + (file.map { [$0] } ?? []),
            patience: .seconds(300))
        let node = try PipedProgram.run(
            ["node", DaemonProcess.client("digest.js")] + given, patience: .seconds(300))
        #expect(python == node)
        return python
    }

    @Test func `a hundred megabytes stay out of memory`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("commands").ok)
        let before = try daemon.peakMemory()
        #expect(try digest(daemon, "test:big 100000000").hasPrefix("100000000 "))
        #expect(try daemon.peakMemory() - before < 8192)
    }

    @Test func `every byte comes back`() throws {
        let daemon = try DaemonProcess()
        // All bytes, each behind each other; only the escape byte has a suite of its own.
        let all = (UInt8.min...UInt8.max).filter { $0 != 0x1b }
        let file = try daemon.box.write(
            all.flatMap { first in all.flatMap { [first, $0] } } + [0x78], to: "bytes")
        _ = try digest(daemon, "test:bytes \(file)", like: file)
    }

    @Test func `bytes without any order make valid JSON`() throws {
        let daemon = try DaemonProcess()
        var seed: UInt64 = 88_172_645_463_325_252
        let noise = (0..<2_000_000).map { _ -> UInt8 in
            seed ^= seed << 13
            seed ^= seed >> 7
            seed ^= seed << 17
            let byte = UInt8(truncatingIfNeeded: seed >> 32)
            return byte == 0x1b ? 0xf0 : byte
        }
        let file = try daemon.box.write(noise + [0x78], to: "noise")
        _ = try digest(daemon, "test:bytes \(file)", like: file)
    }

    @Test(arguments: [
        ("a\u{1b}[31mb\u{1b}[0;1;38;5;12mc\u{1b}[Kd\u{1b}[1Ge", "abcde"),
        ("a\u{1b}]0;title\u{7}b\u{1b}]8;;http://x\u{1b}\\c", "abc"),
        ("a\u{1b}]0;never ended\nb", "a\nb"),
        ("a\u{1b}(Bb\u{1b}7c\u{1b}8d\u{1b}=e", "abcde"),
        ("a\u{1b}P1;2|data\u{1b}\\b", "ab"),
        ("a\n\n\n", "a"),
        ("\n\n", ""),
        (
            "a\u{0}b\u{1}\u{1f}\u{7f}\"\\/\t\r\n\u{2028}\u{1f600}z",
            "a\u{0}b\u{1}\u{1f}\u{7f}\"\\/\t\r\n\u{2028}\u{1f600}z"
        ),
    ]) func `escape sequences go`(written: String, expected: String) throws {
        let daemon = try DaemonProcess()
        let file = try daemon.box.write(written, to: "text")
        #expect(try daemon.ask("test:bytes \(file)") == .good(expected))
    }

    /// The command writes the two halves apart, the second one only when the daemon has read the first.
    @Test func `a character cut between two reads is whole again`() throws {
        let daemon = try DaemonProcess()
        let whole = Array("<\u{1b}[1;31m\u{1b}]0;t\u{7}\u{20ac}\u{1f600}\u{e9}>".utf8)
        let fifo = try daemon.box.fifo()
        for cut in 1..<whole.count {
            let halves = [("left", whole[..<cut]), ("right", whole[cut...])]
            for (name, half) in halves { try daemon.box.write(Array(half), to: name) }
            let client = try daemon.connect()
            try client.send(
                "test:halves \(fifo.path) \(daemon.box.path("left")) \(daemon.box.path("right"))\n")
            try daemon.box.journal.wait("the first half") { lines in
                lines.filter { $0.hasPrefix("half ") }.count == cut ? true : nil
            }
            try daemon.settle()
            try fifo.release()
            #expect(try client.reply() == .good("<\u{20ac}\u{1f600}\u{e9}>"), "cut at \(cut)")
        }
    }

    @Test func `both streams come in the order in which they were written`() throws {
        let expected = (0..<500).map { "out \($0)\nerr \($0)" }.joined(separator: "\n")
        #expect(try DaemonProcess().ask("test:both 500") == .good(expected))
    }

    @Test func `output beyond the limit is cut and the command goes on`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_OUTPUT": "1000"])
        let reply = try daemon.ask("test:big 100000")
        let lines = reply.output.split(separator: "\n")
        #expect(!reply.ok && lines.count == 2)
        #expect(lines.first?.allSatisfy { $0 == "x" } == true)
        #expect((900...1000).contains(lines.first?.count ?? 0))
        try daemon.box.journal.line(with: "end ", " 0")
        #expect(try daemon.ask("test:big 900").ok)
    }

    @Test func `a client that does not read delays nobody`() throws {
        let daemon = try DaemonProcess()
        let deaf = try daemon.connect()
        try deaf.send("test:big 30000000\n")
        #expect(try daemon.ask("apps:create a").ok)
        #expect(try daemon.ask("--quiet apps:list") == .good("a"))
        #expect(try deaf.reply().output.utf8.count == 30_000_000)
    }
}

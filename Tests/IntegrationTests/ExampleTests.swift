// The example programs where something is not as usual: a link, a pipe, a daemon that is not there or goes away.
import CEpollShim
import Foundation
import TestSupport
import Testing

@Suite struct ExampleTests {
    /// Those that end with their command, and those that do not.
    private static let programs = ["run.sh", "deploy-log.py", "deploy-log.js", "dump.py", "dump.sh"]
    private static let allPrograms = programs + ["later.py", "later.js", "later.sh"]

    /// The words before the command.
    private func way(_ name: String, _ file: String) -> [String] {
        name.hasPrefix("dump") ? ["out", file] : name.hasPrefix("later") ? ["submit"] : []
    }

    private func run(
        _ name: String, _ arguments: [String], socket: String, input: [UInt8] = []
    ) throws -> ProgramResult {
        let program = try PipedProgram.example(name, arguments, socket: socket)
        try program.send(input)
        return try program.finish()
    }

    /// Lines that would be commands if they were sent as such.
    private static let dump = Array(String(repeating: "apps:create taken-for-a-line\n", count: 1000).utf8)

    enum Source: CaseIterable { case link, pipe, emptyPipe }

    @Test(arguments: ["dump.py", "dump.sh"], Source.allCases)
    func `a dump also comes from a link or a pipe`(name: String, source: Source) throws {
        let daemon = try DaemonProcess()
        let dump = source == .emptyPipe ? [] : Self.dump
        let link = daemon.box.path("link")
        try daemon.box.write(dump, to: "dump")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: daemon.box.path("dump"))
        let taken = daemon.box.path("taken")
        let result = try run(
            name, ["in", source == .link ? link : "/dev/stdin", "test:keep", taken], socket: daemon.path,
            input: source == .link ? [] : dump)
        #expect(result.exit == .status(0), "\(result.output)")
        #expect(try daemon.box.bytes("taken") == dump)
        #expect(daemon.ran == ["test:keep \(taken)"])
    }

    @Test(arguments: ["dump.py", "dump.sh"])
    func `a dump that fails leaves the one before`(name: String) throws {
        let daemon = try DaemonProcess()
        let file = try daemon.box.write("yesterday's", to: "dump")
        let failed = try run(name, ["out", file, "test:exit", "3"], socket: daemon.path)
        #expect(failed.exit == .status(3), "\(failed.output)")
        #expect(try daemon.box.read("dump") == "yesterday's")
        let refused = try run(name, ["out", file, "nonsense"], socket: daemon.path)
        #expect(refused.exit == .status(1) && refused.output.contains("invalid_command"), "\(refused.output)")
        #expect(try daemon.box.read("dump") == "yesterday's")
        let names = try FileManager.default.contentsOfDirectory(atPath: daemon.box.path)
        #expect(!names.contains { $0.hasPrefix("dump.") || $0.hasPrefix("tmp") }, "\(names)")
        #expect(try run(name, ["out", file, "test:args", "today"], socket: daemon.path).exit == .status(0))
        #expect(try daemon.box.read("dump") == "<today>\n")
    }

    @Test(arguments: allPrograms)
    func `nothing is well without a daemon`(name: String) throws {
        let box = try Box()
        let file = try box.write("yesterday's", to: "dump")
        let result = try run(name, way(name, file) + ["apps:list"], socket: box.path("none"))
        #expect(result.exit != .status(0), "\(result.output)")
        #expect(!result.output.isEmpty)
        #expect(try box.read("dump") == "yesterday's")
    }

    @Test(arguments: programs)
    func `a daemon that dies is no success`(name: String) throws {
        let daemon = try DaemonProcess()
        let file = try daemon.box.write("yesterday's", to: "dump")
        let fifo = try daemon.box.fifo()
        let client = try PipedProgram.example(
            name, way(name, file) + ["test:block", fifo.path], socket: daemon.path)
        client.endInput()
        try daemon.started("test:block")
        daemon.process.signal(SIGKILL)
        let said = try client.output.rest().text
        #expect(try client.process.wait() != .status(0), "\(said)")
        #expect(said.contains("The daemon ended"), "\(said)")
        #expect(try daemon.box.read("dump") == "yesterday's")
    }

    /// The command itself ends with 0.
    @Test(arguments: programs)
    func `an output that is cut is no success`(name: String) throws {
        let box = try Box()
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], settings: ["DOKKU_DAEMON_MAX_OUTPUT": "1000"]
        )
        let file = try box.write("yesterday's", to: "dump")
        let result = try run(name, way(name, file) + ["test:big", "2000"], socket: daemon.path)
        #expect(result.exit == .status(1) && result.output.contains("output_truncated"), "\(result.output)")
        #expect(try box.read("dump") == "yesterday's")
    }

    enum Death: String, CaseIterable {
        case beforeTheRequestIsRead = ""
        case withinALine = #"{"event":"output","stream":"stdout","da"#
        case withinTheLastLine = #"{"event":"end","ok":tr"#
    }

    @Test(arguments: allPrograms, Death.allCases)
    func `a daemon's death differs from a command's failure`(name: String, death: Death) throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        let file = try box.write("yesterday's", to: "dump")
        let client = try PipedProgram.example(name, way(name, file) + ["apps:list"], socket: socket.path)
        client.endInput()
        try Deadline().wait(socket.descriptor, what: "a connection")
        let connection = Stream(owning: try checked("accept", shim_accept(socket.descriptor)))
        if death != .beforeTheRequestIsRead {
            _ = try connection.line()
            try writeAll(Array(death.rawValue.utf8), to: connection.descriptor)
        }
        shutdown(connection.descriptor, Int32(SHUT_RDWR))
        let said = try client.output.rest().text
        #expect(try client.process.wait() == .status(255), "\(said)")
        #expect(try box.read("dump") == "yesterday's")
    }

    @Test func `a reason is shown even if the input was not taken`() throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        let dump = try box.write([UInt8](repeating: UInt8(ascii: "x"), count: 1 << 22), to: "dump")
        let client = try PipedProgram.example(
            "dump.py", ["in", dump, "postgres:import", "db"], socket: socket.path)
        client.endInput()
        try Deadline().wait(socket.descriptor, what: "a connection")
        let connection = Stream(owning: try checked("accept", shim_accept(socket.descriptor)))
        _ = try connection.line()
        try writeAll(
            Array(#"{"ok":false,"error":"misconfigured","output":"why"}"#.utf8) + [UInt8(ascii: "\n")],
            to: connection.descriptor)
        shutdown(connection.descriptor, Int32(SHUT_RDWR))
        #expect(try client.output.rest().text == "misconfigured: why\n")
        #expect(try client.process.wait() == .status(1))
    }
}

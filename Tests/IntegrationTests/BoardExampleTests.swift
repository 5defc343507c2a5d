// The live boards of docs/examples: what they show, and that they go on when a daemon ends or events are lost.
import CEpollShim
import Foundation
import TestSupport
import Testing

@Suite struct BoardExampleTests {
    private static let programs = ["board.py", "board.js"]

    @Test(arguments: programs) func `each job is shown from its beginning to its end`(name: String) throws {
        let box = try Box()
        let daemon = try DaemonProcess(
            box,
            sockets: [BoundSocket(box.path("socket")), BoundSocket(box.path("reads"), name: "read-only")])
        let fifo = try box.fifo()
        let clients = try (0..<3).map { _ in try daemon.connect() }
        try clients[0].send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        let board = try PipedProgram.example(name, socket: box.path("reads"))
        try board.shows("1 running, 0 waiting")
        try board.shows("runs for", "test:block \(fifo.path)")
        try clients[1].send("config:set app KEY=hush\n")
        try board.shows("1 running, 1 waiting")
        try board.shows("waits for", "config:set app KEY=***")
        try fifo.release()
        try board.shows("0 running, 0 waiting")
        try board.shows("exit status 20", "config:set app")
        try board.shows("ok after", "test:block")
        daemon.process.signal(SIGTERM)
        try board.shows("The daemon is stopping")
    }

    @Test(arguments: programs) func `the board goes on with the next daemon`(name: String) throws {
        let box = try Box()
        let board = try PipedProgram.example(name, socket: box.path("socket"))
        try board.shows(name == "board.py" ? "No such file" : "ENOENT")
        let daemon = try DaemonProcess(box, sockets: [BoundSocket(box.path("socket"))])
        // The next daemon begins with job 1.
        #expect(try !daemon.ask("test:exit 3").ok)
        let fifo = try box.fifo()
        try daemon.connect().send("test:block \(fifo.path)\n")
        try board.shows("runs for", "test:block")
        daemon.process.signal(SIGKILL)
        try board.shows("The daemon ended the connection")
        _ = try daemon.process.wait()
        try fifo.release()
        let second = try DaemonProcess(box, sockets: [BoundSocket(sharing: daemon)])
        let lines = try box.fifo("lines")
        try second.connect().send("test:lines \(lines.path)\n")
        // Running already, or started before its eyes.
        try board.shows("1 running, 0 waiting")
        try board.shows("runs for", "test:lines")
        try lines.say("end")
        try board.shows("0 running, 0 waiting")
        try board.shows("ok after", "test:lines")
    }

    /// A daemon that says what a real one says to those who read too slowly.
    @Test(arguments: programs) func `lost events are said, and the board begins anew`(name: String) throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        let board = try PipedProgram.example(name, socket: socket.path)
        var connections: [Stream] = []
        for event in [
            #"{"event":"lost","count":5}"#,
            #"{"event":"end","ok":false,"error":"queue_full","output":"Too many"}"#,
            #"{"event":"brand_new","job":1}"#,
        ] {
            try Deadline().wait(socket.descriptor, what: "a connection")
            let connection = Stream(owning: try checked("accept", shim_accept(socket.descriptor)))
            // Open until the board itself ends it.
            connections.append(connection)
            #expect(try connection.line()?.text == #"{"command":["daemon:events"],"stream":true}"#)
            try writeAll(Array("{\"event\":\"live\"}\n\(event)\n".utf8), to: connection.descriptor)
            if event.contains("lost") { try board.shows("5 events were lost") }
            if event.contains("queue_full") { try board.shows("Too many") }
            if event.contains("brand_new") { try board.shows("0 running, 0 waiting") }
        }
    }

    @Test(arguments: programs) func `a daemon without events ends it`(name: String) throws {
        let box = try Box()
        let socket = try BoundSocket(box.path("socket"))
        let board = try PipedProgram.example(name, socket: socket.path)
        try Deadline().wait(socket.descriptor, what: "a connection")
        let connection = Stream(owning: try checked("accept", shim_accept(socket.descriptor)))
        _ = try connection.line()
        try writeAll(
            Array(#"{"event":"end","ok":false,"error":"invalid_command","output":"Invalid command"}"#.utf8)
                + [UInt8(ascii: "\n")], to: connection.descriptor)
        let result = try board.finish()
        #expect(result.exit == .status(1) && result.output.contains("invalid_command: Invalid command"))
    }
}

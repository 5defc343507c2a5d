// Descriptors where none belong, too many, too few, and such whose close takes long: the sender pays, and nothing leaks.
import CEpollShim
import Glibc
import TestSupport
import Testing

@Suite struct HostileDescriptorTests {
    private static let line = #"{"id":7,"command":"test:args on","descriptors":true}"# + "\n"
    private static let promptly = Duration.seconds(20)

    private func expectService(_ daemon: DaemonProcess) throws {
        let client = try daemon.connect()
        try client.send("test:args on\n")
        #expect(try client.reply(patience: Self.promptly) == .good("<on>"))
    }

    @Test(arguments: [1, 2, 4, 253]) func `another number than three ends the connection`(count: Int) throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let client = try daemon.connect()
        try client.send(Self.line, with: [Int32](repeating: 0, count: count))
        let answer = try client.answer()
        #expect(answer["error"] == "invalid_request" && answer["id"] == 7)
        #expect((try? client.ends()) != false)
        try expectService(daemon)
        #expect(daemon.ran == ["test:args on"])
    }

    @Test func `descriptors with later bytes end the connection`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        for (before, after) in [
            (#"{"id":7,"#, #""command":"test:args on","descriptors":true}"# + "\n"),
            (#"{"id":7,"command":"test:stdin","stdin_length":5}"# + "\nab", "cde"),
        ] {
            let client = try daemon.connect()
            try client.send(before)
            try daemon.settle()
            try client.send(after, with: [0, 1, 2])
            let answer = try client.answer()
            #expect(answer["error"] == "invalid_request" && answer["id"] == 7)
            #expect((try? client.ends()) != false)
        }
        let client = try daemon.connect()
        try client.send(#"{"id":7,"command":"test:stdin","stdin_chunks":true}"# + "\n")
        #expect(try client.answer()["event"] == "continue")
        try client.send("5\nabcde0\n", with: [0, 1, 2])
        #expect(try client.answer()["error"] == "invalid_request")
        try expectService(daemon)
        #expect(daemon.ran == ["test:args on"])
    }

    @Test func `a line that does not announce descriptors is refused, and the next is not`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let client = try daemon.connect()
        try client.send("test:args on\n", with: [0, 1, 2])
        #expect(try !client.reply().ok)
        try client.send(#"{"command":"test:stdin","stdin_length":3}"# + "\nabc", with: [0, 1, 2])
        #expect(try client.answer()["error"] == "invalid_request")
        try client.send("{\"command\":\n", with: [0, 1, 2])
        #expect(try client.answer()["error"] == "invalid_request")
        #expect(try client.request(#"{"command":"test:args on","descriptors":true}"#)["ok"] == false)
        #expect(daemon.ran.isEmpty)
        // Two lines in one message: the first has them. The second is answered at once.
        let second = Self.line.replacing("7", with: "8")
        try client.send(Self.line + second, with: [0, 1, 2])
        var answers: [Int: JSON] = [:]
        for _ in 0..<2 {
            let answer = try client.answer()
            answers[try #require(answer["id"]?.int)] = answer
        }
        #expect(answers[7]?["ok"] == true && answers[8]?["error"] == "invalid_request")
    }

    @Test func `a last line without its newline has what came with it`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let file = try HandedFile("", in: daemon.box)
        let client = try daemon.connect()
        try client.send(String(Self.line.dropLast()), with: [0, file.descriptor, file.descriptor])
        client.halfClose()
        #expect(try client.answer()["ok"] == true)
        #expect(file.text == "<on>\n")
        #expect(try client.ends())
    }

    @Test(arguments: ["test:args on", "run talk true"])
    func `nobody waits for the last close of a socket`(command: String) throws {
        let daemon = try DaemonProcess.takingDescriptors()
        for count in [3, 4] {
            let client = try daemon.connect()
            let sockets = try (0..<count).map { _ in try LingeringSocket(linger: 300) }
            let line = "{\"command\":\"\(command)\",\"descriptors\":true}\n"
            try client.send(line, with: sockets.map(\.number))
            for socket in sockets { socket.abandon() }
            let answer = try client.answer(patience: Self.promptly)
            #expect((answer["error"] == "invalid_request") == (count == 4))
            for _ in 0..<3 { try expectService(daemon) }
        }
        #expect(try daemon.stop() == .status(0))
    }

    @Test func `nothing leaks, however a client leaves`() throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let null = try checked("open", open("/dev/null", O_RDWR | O_CLOEXEC))
        let file = try HandedFile("x", in: daemon.box)
        let pipe = try HandedPipe()
        var pair: [Int32] = [-1, -1]
        try checked(
            "socketpair",
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair))
        defer { for number in pair + [null] { close(number) } }
        try expectService(daemon)
        let before = try daemon.openDescriptors()
        let kinds = [null, file.descriptor, pipe.writing, pair[0]]
        let lines = [
            Self.line, "test:args on\n", "{\"comm", "\n",
            #"{"command":"run talk true","descriptors":true}"# + "\n",
            #"{"command":"test:stdin","descriptors":true,"stdin_chunks":true}"# + "\n",
            #"{"command":"test:stdin","stdin_length":9}"# + "\nabc",
            #"{"command":"daemon:version","descriptors":true}"# + "\n",
            #"{"command":"nothing:such","descriptors":true}"# + "\n",
        ]
        for round in 0..<300 {
            let client = try daemon.connect()
            let count = [3, 3, 3, 1, 2, 4, 253][round % 7]
            let files = (0..<count).map { kinds[($0 + round) % kinds.count] }
            try? client.send(lines[round % lines.count], with: files)
            switch round % 5 {
            case 0: try? client.send(lines[(round / 5) % lines.count], with: files)
            case 1: client.halfClose()
            case 2: _ = try? client.line(patience: Self.promptly)
            case 3: try daemon.settle()
            default: break
            }
        }
        try expectService(daemon)
        try Deadline().poll("the descriptors of before") { try daemon.openDescriptors() <= before }
        try Deadline().poll("the end of those who close") {
            // The daemon is the only one that reaps them.
            let path = "/proc/\(daemon.process.pid)/task/\(daemon.process.pid)/children"
            return contents(path).isEmpty
        }
        #expect(try daemon.stop() == .status(0))
    }

    /// A command that takes its input from a pipe gets what the daemon reads.
    @Test(arguments: ["ssh-keys:add", "test:stdin", "run"])
    func `an input that cannot be read costs its sender only`(command: String) throws {
        let daemon = try DaemonProcess.takingDescriptors()
        let file = try HandedFile("text", in: daemon.box)
        for flags in [O_WRONLY, O_WRONLY | O_APPEND, shim_path_only] {
            let input = try checked("open", open(file.path, flags | O_CLOEXEC))
            defer { close(input) }
            let answer = try daemon.connect().ask(
                ["command": [.text(command), "talk", "true"], "descriptors": true],
                with: [input, file.descriptor, file.descriptor])
            #expect(answer["error"] == "invalid_request")
            #expect(answer["output"] == "Descriptor 0 cannot be read")
        }
        #expect(try daemon.ask("test:exit 0").ok)
        #expect(daemon.ran == ["test:exit 0"])
    }
}

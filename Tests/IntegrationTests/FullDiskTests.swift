// A disk that becomes full while many ask for the output of a detached job and do not read.
import TestSupport
import Testing

@Suite(.enabled(if: SmallDisk.isAvailable, "only root can mount a disk of its own"))
struct FullDiskTests {
    /// A debug build copies a few megabytes a second.
    private static let askers = DaemonProcess.isReleaseBuild ? 900 : 60

    @Test(arguments: ["daemon:wait 1", "daemon:output 1"], [true, false])
    func `who does not read an output takes bounded memory`(command: String, isPlain: Bool) throws {
        let box = try Box()
        let disk = try SmallDisk(box.makeFolder("state"), size: 400 << 20)
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], shell: "ulimit -n 4096")
        let size = 900_000
        #expect(try daemon.submit("test:big", "\(size)") == 1)
        #expect(try daemon.ask("daemon:wait 1").output.utf8.count == size)
        // Room for some of the answers.
        try disk.fill(leaving: Self.askers * 250_000)
        let memory = try Memory(of: daemon)
        let askers = try (0..<Self.askers).map { index in
            let client = try daemon.connect()
            if isPlain {
                try client.send("\(command)\n")
            } else {
                try client.send(["id": .integer(index), "command": .text(command)])
            }
            return client
        }
        // An answer of one line begins when all of it was made.
        for client in askers { try Deadline().wait(client.stream.descriptor, what: "an answer") }
        let growth = try memory.growth
        print("memory over idle: \(growth) KiB")
        #expect(growth <= 64 * 1024)
        var cuts = 0
        for index in stride(from: 0, to: askers.count, by: askers.count / 12) {
            let (isWhole, output) =
                isPlain ? try Self.plain(askers[index]) : try Self.json(askers[index], index)
            #expect(isWhole == (output.utf8.count == size))
            if !isWhole { cuts += 1 }
        }
        #expect(cuts > 0)
        #expect(try daemon.ask("daemon:wait 1").output.utf8.count == size)
        _ = disk
    }

    private static func plain(_ client: TestClient) throws -> (isWhole: Bool, output: String) {
        let reply = try client.reply()
        if !reply.ok { #expect(reply.output.contains("The output was cut, because it could not be stored")) }
        return (reply.ok, reply.output)
    }

    private static func json(_ client: TestClient, _ id: Int) throws -> (isWhole: Bool, output: String) {
        let answer = try client.answer()
        #expect(
            answer["id"] == .integer(id)
                && answer["error"] == (answer["ok"] == true ? nil : "output_truncated"))
        return (answer["ok"] == true, answer["output"]?.text ?? "")
    }
}

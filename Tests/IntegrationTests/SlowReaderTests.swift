// Clients that ask for much and read nothing: the command, the queue and everybody else go on, in bounded memory.
import TestSupport
import Testing

@Suite struct SlowReaderTests {
    private static let size = DaemonProcess.isReleaseBuild ? 200_000_000 : 20_000_000

    @Test(arguments: [
        "test:big \(size)", #"{"command":"test:big \#(size)"}"#,
        #"{"command":"test:big \#(size)","stream":true}"#,
        #"{"command":"test:big \#(size)","encoding":"base64"}"#,
    ]) func `nobody waits for a client that does not read`(request: String) throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.ask("commands").ok)
        let before = try daemon.peakMemory()
        let deaf = try daemon.connect()
        try deaf.send(request + "\n")
        try daemon.started("test:big")
        let other = try daemon.connect()
        #expect(try other.ask("daemon:version").ok)
        // The command ends, though nobody has read a byte, and the queue goes on.
        try daemon.box.journal.line(with: "end ", " 0")
        #expect(try other.ask("apps:create a").ok)
        #expect(try daemon.peakMemory() - before < 4096)
        withExtendedLifetime(deaf) {}
    }

    @Test func `a client that leaves in the middle leaves nothing behind`() throws {
        let daemon = try DaemonProcess(["DOKKU_DAEMON_MAX_SPOOL": "120000000"])
        for _ in 0..<3 {
            do {
                let leaving = try daemon.connect()
                try leaving.send("test:big 100000000\n")
                _ = try leaving.stream.bytes(1000)
            }
            #expect(try daemon.ask("test:big 1000").ok)
        }
    }
}

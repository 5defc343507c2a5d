// The client's file, as it is installed: one program that needs nothing else.
import TestSupport
import Testing

@Suite struct ClientBinaryTests {
    @Test func `it needs no loader and no library`() throws {
        let headers = try PipedProgram.run(["readelf", "--program-headers", "--wide", ClientProcess.binary])
        #expect(headers.contains("LOAD") && !headers.contains("INTERP") && !headers.contains("DYNAMIC"))
    }

    @Test(.enabled(if: DaemonProcess.isReleaseBuild)) func `it has 8 MB at most`() throws {
        let box = try Box()
        let stripped = box.path("dokku-client")
        _ = try PipedProgram.run(["strip", "-o", stripped, ClientProcess.binary])
        #expect(try box.status("dokku-client").st_size <= 8_000_000)
    }

    @Test(arguments: [
        "dokku-client.1", "dokku-daemon.8", "dokku-daemon-socket.8", "dokku-daemon-protocol.7",
    ])
    func `man shows the page without a warning`(page: String) throws {
        let warnings = try PipedProgram.run([
            "sh", "-c",
            "LC_ALL=C.UTF-8 MANROFFSEQ= man --warnings -E UTF-8 -l -Tutf8 -Z \"$0\" 2>&1 >/dev/null",
            Repository.path("packaging/man/\(page)"),
        ])
        #expect(warnings == "")
    }
}

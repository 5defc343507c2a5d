// `<` and `>` at a plain line's end: files of the daemon's host as input and output.
import Glibc
import TestSupport
import Testing

@Suite struct RedirectionTests {
    @Test func `a file is the input`() throws {
        let daemon = try DaemonProcess()
        let file = try daemon.box.write("ssh-ed25519 AAAA me\n", to: "key")
        #expect(try daemon.ask("test:stdin < \(file)") == .good("ssh-ed25519 AAAA me"))
        #expect(try daemon.ask("ssh-keys:add me < '\(file)'").output.hasPrefix("SHA256:"))
        #expect(try daemon.ask("config:import app < \(file)").ok)
    }

    @Test func `the output goes to the file and errors to the reply`() throws {
        let daemon = try DaemonProcess()
        let file = try daemon.box.write("something longer that was there before", to: "out")
        #expect(try daemon.ask("test:both 2 > \(file)") == .good("err 0\nerr 1"))
        #expect(try daemon.box.read("out") == "out 0\nout 1\n")
        #expect(
            try daemon.ask("apps:exists none > \(daemon.box.path("new"))")
                == .bad(" !     App none does not exist"))
        #expect(daemon.box.has("new"))
        #expect(try daemon.ask("test:big 3000000 > \(file)") == .good(""))
        #expect(try daemon.box.bytes("out").count == 3_000_000)
    }

    @Test func `bytes are kept as they are`() throws {
        let daemon = try DaemonProcess()
        let bytes = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        let input = try daemon.box.write(bytes, to: "in")
        #expect(try daemon.ask("test:bytes \(input) > \(daemon.box.path("copy"))") == .good(""))
        #expect(try daemon.box.bytes("copy") == bytes)
    }

    @Test func `a file that cannot be opened runs nothing`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let folder = daemon.box.path
        let wrong = [
            "< \(folder)/missing", "< \(folder)", "> \(folder)", "> \(folder)/missing/file", "< \(fifo.path)",
            "> \(fifo.path)", "< \(daemon.path)", "> /dev/null", "< /dev/zero", "< relative", "> relative",
            "< ''", "> '~/x'",
        ]
        for end in wrong {
            let reply = try daemon.ask("test:stdin \(end)")
            #expect(!reply.ok && !reply.output.isEmpty, "\(end)")
        }
        #expect(daemon.ran == [])
        #expect(try daemon.ask("test:stdin").ok)
    }

    @Test func `a built-in is not redirected`() throws {
        let daemon = try DaemonProcess()
        let file = daemon.box.path("out")
        for line in ["commands > \(file)", "refresh < \(file)", "daemon:version > \(file)"] {
            #expect(try daemon.ask(line).ok == false, "\(line)")
        }
        #expect(!daemon.box.has("out"))
    }

    @Test func `only the bare word before the last one redirects`() throws {
        let daemon = try DaemonProcess()
        let file = daemon.box.path("out")
        #expect(try daemon.ask("test:args a '>' \(file)") == .good("<a>\n<>>\n<\(file)>"))
        #expect(try daemon.ask("test:args a \\> \(file)") == .good("<a>\n<>>\n<\(file)>"))
        #expect(try daemon.ask("test:args a >\(file)") == .good("<a>\n<>\(file)>"))
        #expect(try daemon.ask("test:args > \(file) b") == .good("<>>\n<\(file)>\n<b>"))
        #expect(try daemon.ask("test:args a >> \(file)") == .good("<a>\n<>>>\n<\(file)>"))
        #expect(!daemon.box.has("out"))
    }

    @Test func `a command that reads only from a pipe gets a pipe`() throws {
        let daemon = try DaemonProcess()
        let file = try daemon.box.write("ssh-ed25519 AAAA me\n", to: "key")
        #expect(try daemon.ask("git:auth example.com < \(file)").ok)
        #expect(try daemon.ask("ssh-keys:add me < \(file)").output.hasPrefix("SHA256:"))
        #expect(try daemon.ask("ssh-keys:add me") == .bad(" !     No key specified via file or pipe"))
    }

    @Test func `a start that fails leaves the file as it was`() throws {
        let box = try Box()
        let program = try box.write(
            "#!/bin/sh\nexec '\(DaemonProcess.standIn)/test-dokku' \"$@\"\n", to: "dokku", mode: 0o755)
        let daemon = try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], settings: ["DOKKU_DAEMON_DOKKU": program])
        let file = try box.write("all there is", to: "dump")
        #expect(try daemon.ask("test:args \(String(repeating: "x", count: 200_000)) > \(file)").ok == false)
        #expect(try box.read("dump") == "all there is")
        for first in ["#!/nonexistent", "#! /nonexistent -e\n", "#!\(box.path)\n", "#!"] {
            try box.write(first, to: "dokku", mode: 0o755)
            #expect(try daemon.ask("test:args x > \(file)").ok == false, "\(first)")
            #expect(try box.read("dump") == "all there is", "\(first)")
        }
        unlink(program)
        #expect(try daemon.ask("test:args x > \(file)").ok == false)
        #expect(try box.read("dump") == "all there is")
    }
}

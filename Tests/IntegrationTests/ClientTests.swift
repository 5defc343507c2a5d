// The client as it is used in scripts: output, input, exit statuses.
import Foundation
import TestSupport
import Testing

@Suite struct ClientTests {
    private typealias End = ClientProcess.End

    @Test func `output, errors and the exit status are the command's own`() throws {
        let daemon = try DaemonProcess()
        #expect(try daemon.client("test:both", "2") == End(.status(0), "out 0\nout 1\n", "err 0\nerr 1\n"))
        #expect(try daemon.client("test:exit", "7") == End(.status(7)))
        #expect(try daemon.client("test:exit", "255") == End(.status(255)))
    }

    @Test func `a signal that ends the command is added to 128`() throws {
        let daemon = try DaemonProcess()
        #expect(
            try daemon.client("test:signal", "HUP")
                == End(.status(129), "dying\n", "dokku-client: ended by SIGHUP\n"))
        #expect(try daemon.client("test:signal", "KILL").exit == .status(137))
    }

    @Test func `bytes come exactly as they were written`() throws {
        let daemon = try DaemonProcess()
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
        let client = try ClientProcess(
            ["test:bytes", daemon.box.write(bytes, to: "bytes")], to: daemon.path)
        #expect(try client.output.rest() == bytes)
        #expect(try client.process.wait() == .status(0))
    }

    @Test func `output comes as it is written`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        let client = try ClientProcess(["test:lines", fifo.path], to: daemon.path)
        for word in ["one", "two"] {
            try fifo.say(word)
            #expect(try client.output.line()?.text == word)
        }
        try fifo.say("end")
        #expect(try client.end() == End(.status(0)))
    }

    @Test func `words reach the command as they are`() throws {
        let daemon = try DaemonProcess()
        #expect(
            try daemon.client("test:args", "a b", "", "\"q\" \\ 'é'", "-x", "--", "$HOME", "a\nb").output
                == "<a b>\n<>\n<\"q\" \\ 'é'>\n<-x>\n<-->\n<$HOME>\n<a\nb>\n")
    }

    @Test func `called as dokku all words are dokku's`() throws {
        let daemon = try DaemonProcess()
        let link = daemon.box.path("dokku")
        symlink(ClientProcess.binary, link)
        func dokku(_ words: String...) throws -> End {
            try ClientProcess(words, to: daemon.path, binary: link).end()
        }
        #expect(try dokku("apps:create", "blog").output == "Creating blog... done\n")
        #expect(try dokku("--quiet", "apps:list").output == "blog\n")
        #expect(try dokku().output.hasPrefix("Usage: dokku"))
        #expect(try dokku("--help").output.hasPrefix("Usage: dokku"))
        #expect(try dokku("-d", "apps:list").exit == .status(64))
    }

    @Test func `input from a pipe of any length reaches a command that reads it`() throws {
        let daemon = try DaemonProcess()
        let bytes = [UInt8](repeating: 7, count: 3_000_001)
        let digest = try digestOf(bytes)
        let descriptor = try checked(
            "open", open(daemon.box.write(bytes, to: "input"), O_RDONLY | O_CLOEXEC))
        defer { close(descriptor) }
        for input in [ClientProcess.Input.bytes(bytes), .descriptor(descriptor)] {
            let client = try ClientProcess(["--stdin", "test:digest"], to: daemon.path, input: input)
            #expect(try client.end() == End(.status(0), digest))
        }
    }

    private func digestOf(_ bytes: [UInt8]) throws -> String {
        let program = try PipedProgram(["sh", "-c", "sha256sum | cut -c1-64"])
        try program.send(bytes)
        program.endInput()
        return try program.output.rest().text
    }

    /// As in `while read app; do dokku apps:exists "$app"; done <list`.
    @Test func `a command that reads no input leaves it to others`() throws {
        let daemon = try DaemonProcess()
        let script = "while read -r word; do \"$0\" test:args \"$word\"; done"
        for kind in ["<\"$1\"", "< <(cat \"$1\")"] {
            let list = try daemon.box.write("one\ntwo\n", to: "list")
            let program = try PipedProgram(
                ["bash", "-c", script + kind, ClientProcess.binary, list],
                environment: ["DOKKU_SOCK_PATH": daemon.path])
            #expect(try program.output.rest().text == "<one>\n<two>\n")
        }
    }

    @Test func `a detached job gives its number and is waited for`() throws {
        let daemon = try DaemonProcess()
        let number = try daemon.client("--detach", "test:both", "1")
        let job = number.output.trimmingCharacters(in: .newlines)
        #expect(number.exit == .status(0) && Int(job) != nil)
        #expect(try daemon.client("daemon:wait", job) == End(.status(0), "out 0\n", "err 0\n"))
        let other = try daemon.client("-d", "test:exit", "9").output.trimmingCharacters(in: .newlines)
        #expect(try daemon.client("daemon:wait", other) == End(.status(9)))
        #expect(try daemon.client("--json", "-d", "test:exit", "9").output.hasPrefix("{\"job\":"))
    }

    @Test func `a command that takes too long is ended`() throws {
        let daemon = try DaemonProcess()
        let fifo = try daemon.box.fifo()
        #expect(
            try daemon.client("--timeout", "2", "test:block", fifo.path)
                == End(.status(143), "waiting\n", "dokku-client: ended because it reached its time limit\n"))
    }
}

// What dokku would ask before it destroys something, the client asks: in the same way, and nothing is destroyed without the name.
import Foundation
import TestSupport
import Testing

@Suite struct ClientConfirmationTests {
    private func daemonWithApp() throws -> DaemonProcess {
        let daemon = try DaemonProcess()
        #expect(try daemon.client("apps:create", "blog").exit == .status(0))
        return daemon
    }

    private func apps(_ daemon: DaemonProcess) throws -> String {
        try daemon.client("--quiet", "apps:list").output
    }

    @Test(arguments: ["blog\n", "blog", "  blog \r\n"])
    func `the name lets it go on`(input: String) throws {
        let daemon = try daemonWithApp()
        let end = try daemon.client("apps:destroy", "blog", input: .bytes(Array(input.utf8)))
        #expect(end.exit == .status(0) && end.output == "Destroying blog (including all add-ons)\n")
        #expect(
            end.errors.hasPrefix(
                " !     WARNING: this will destroy the app blog. To proceed, type \"blog\"\n> "))
        #expect(try apps(daemon) == "")
        #expect(daemon.ran.contains("--force apps:destroy blog"))
    }

    @Test(arguments: ["", "\n", "blo\n", "blogs\n", "Blog\n", "y\n", "\nblog\n", "blog x\n"])
    func `anything else destroys nothing`(input: String) throws {
        let daemon = try daemonWithApp()
        let end = try daemon.client("apps:destroy", "blog", input: .bytes(Array(input.utf8)))
        #expect(end.exit == .status(1) && end.output.isEmpty && end.errors.contains("nothing was destroyed"))
        #expect(try apps(daemon) == "blog\n")
        #expect(!daemon.ran.contains { $0.contains("apps:destroy") })
    }

    @Test func `the rest of a pipe is left for others`() throws {
        let daemon = try daemonWithApp()
        let shell = try PipedProgram(
            ["sh", "-c", "\"$0\" apps:destroy blog 2>/dev/null; cat", ClientProcess.binary],
            environment: ["DOKKU_SOCK_PATH": daemon.path])
        try shell.send("blog\nthe rest\n")
        shell.endInput()
        #expect(try shell.output.rest().text == "Destroying blog (including all add-ons)\nthe rest\n")
        #expect(try shell.process.wait() == .status(0))
    }

    @Test func `a flag names the app, too, and without a name nobody is asked`() throws {
        let daemon = try daemonWithApp()
        let end = try daemon.client("--app", "blog", "apps:destroy", input: .bytes(Array("no\n".utf8)))
        #expect(end.exit == .status(1) && end.errors.contains("type \"blog\""))
        let nameless = try daemon.client("apps:destroy", input: .bytes(Array("\n".utf8)))
        #expect(nameless.exit == .status(64) && !nameless.errors.contains("WARNING"))
        let empty = try daemon.client("apps:destroy", "", input: .bytes(Array("\n".utf8)))
        #expect(empty.exit == .status(64) && !empty.errors.contains("WARNING"))
        #expect(try apps(daemon) == "blog\n")
    }

    @Test func `with --force nobody is asked`() throws {
        let daemon = try daemonWithApp()
        let end = try daemon.client("--force", "apps:destroy", "blog")
        #expect(end.exit == .status(0) && end.errors.isEmpty)
    }

    @Test func `a person types the name`() throws {
        let daemon = try daemonWithApp()
        let terminal = try PseudoTerminal()
        let client = try ClientProcess(["apps:destroy", "blog"], to: daemon.path, on: terminal)
        _ = try client.output.upTo("type \"blog\"\r\n> ")
        try terminal.type("blog\n")
        _ = try client.output.upTo("Destroying blog")
        #expect(try client.process.wait() == .status(0))
        #expect(try apps(daemon) == "")
    }

    @Test(arguments: [("\u{3}", SIGINT), ("\u{4}", 0)])
    func `Ctrl-C and the end of the input destroy nothing`(key: String, signal: Int32) throws {
        let daemon = try daemonWithApp()
        let terminal = try PseudoTerminal()
        let settings = try terminal.settings()
        let client = try ClientProcess(["apps:destroy", "blog"], to: daemon.path, on: terminal)
        _ = try client.output.upTo("> ")
        try terminal.type(key)
        #expect(try client.process.wait() == (signal == 0 ? .status(1) : .signal(signal)))
        #expect(try apps(daemon) == "blog\n" && terminal.settings() == settings)
    }
}

// The command line and the settings, as whoever starts the daemon by hand meets them.
import Testing

@Suite struct CommandLineTests {
    /// Runs the daemon to its end: what it printed, and how it ended.
    private func run(
        _ arguments: [String], _ settings: [String: String] = [:]
    ) throws -> (output: String, exit: Spawned.Exit) {
        let box = try Box()
        let environment = Daemon.settings(in: box).merging(settings) { _, given in given }
        let program = try PipedProgram([Daemon.binary] + arguments, environment: environment)
        return (try program.output.rest().text, try program.process.wait())
    }

    @Test func itHelpsAndNamesItsVersion() throws {
        let help = try run(["-h"])
        #expect(help.output.hasPrefix("Usage: ") && help.exit == .status(0))
        let version = try run(["-v"])
        #expect(version.output.hasPrefix("Version ") && version.exit == .status(0))
    }

    @Test(arguments: [["-x"], ["--help"], ["serve"]]) func anUnknownOptionIsAnError(arguments: [String])
        throws
    {
        let (output, exit) = try run(arguments)
        #expect(output.hasPrefix("Error: ") && output.contains(arguments[0]))
        #expect(exit == .status(1))
    }

    @Test(arguments: [
        "MAX_LINE", "MAX_INPUT", "MAX_BUFFER", "MAX_CONNECTIONS", "MAX_QUEUE", "MAX_OPEN", "MAX_FOLLOW",
        "MAX_OUTPUT",
        "MAX_SPOOL", "TIMEOUT", "KILL_GRACE", "DRAIN_GRACE", "STOP_GRACE", "IDLE_EXIT", "LISTENER",
    ]) func aWrongSettingIsNamed(setting: String) throws {
        let name = "DOKKU_DAEMON_" + setting
        for value in ["many", "-1", "1x", "0x10"] {
            let (output, exit) = try run([], [name: value])
            #expect(output.contains("Error: ") && output.contains(name), "\(value): \(output)")
            #expect(exit != .status(0))
        }
    }
}

// The programs that people open the socket with, each as it is used, also where the command takes its time.
import Foundation
import TestSupport
import Testing

@Suite struct RealClientTests {
    /// A client that has been started, and the daemon it talks to.
    private struct Talk {
        let name: String
        let daemon: DaemonProcess
        let program: PipedProgram

        /// `arguments` with PATH in place of the socket. The line is sent through the program's standard input,
        /// which then ends where `ends` says so: a person at a terminal leaves it open.
        init(_ name: String, _ arguments: [String], line: String?, ends: Bool = true) throws {
            self.name = name
            daemon = try DaemonProcess()
            let path = daemon.path
            program = try PipedProgram(arguments.map { $0.replacingOccurrences(of: "PATH", with: path) })
            if let line { try program.send(line + "\n") }
            if ends { program.endInput() }
        }
    }

    private func talks(_ line: String) throws -> [Talk] {
        let interactive = [
            ["socat", "-", "UNIX-CONNECT:PATH"], ["nc", "-U", "PATH"], ["ncat", "-U", "PATH"],
        ]
        let piped = [
            ["socat", "-t", "30", "-", "UNIX-CONNECT:PATH"], ["nc", "-U", "PATH"],
            ["nc", "-N", "-U", "PATH"],
            ["ncat", "-U", "PATH"],
        ]
        return try interactive.map { try Talk($0.joined(separator: " "), $0, line: line, ends: false) }
            + piped.map { try Talk("… | " + $0.joined(separator: " "), $0, line: line) }
    }

    private func scripts(_ lines: [String]) throws -> [Talk] {
        try [
            Talk("Node", ["node", DaemonProcess.client("kept.js"), "PATH"] + lines, line: nil),
            Talk(
                "Python", ["python3", DaemonProcess.client("until-newline.py"), "PATH", lines[0]], line: nil),
            Talk("Ruby", ["ruby", DaemonProcess.client("gets.rb"), "PATH", lines[0]], line: nil),
        ]
    }

    @Test func `each client gets the reply of a quick command`() throws {
        for talk in try talks("apps:create python-app") {
            let line = try talk.program.output.line()?.text
            #expect(line == #"{"ok":true,"output":"Creating python-app... done"}"#, "\(talk.name)")
        }
        for talk in try scripts(["apps:create python-app"]) {
            #expect(try talk.program.output.line()?.text == #""Creating python-app... done""#, "\(talk.name)")
            #expect(try talk.program.process.wait() == .status(0), "\(talk.name)")
        }
    }

    /// All of them at once, each with a daemon of its own, so that the three seconds pass but once.
    @Test func `each client gets the reply of a command that takes three seconds`() throws {
        let waiting = try talks("test:wait 3")
        let scripts = try scripts(["test:wait 3", "apps:create a", "apps:exists a", "--quiet apps:list"])
        for talk in waiting {
            #expect(
                try talk.program.output.line()?.text == #"{"ok":true,"output":"began\nended"}"#,
                "\(talk.name)")
        }
        for talk in scripts {
            let output = try talk.program.output.rest().text
            let more = talk.name == "Node" ? "\"Creating a... done\"\n\"\"\n\"a\"\n" : ""
            #expect(output == "\"began\\nended\"\n" + more, "\(talk.name)")
        }
    }

    /// Those that half-close end by themselves once they have their reply, since the daemon hangs up.
    @Test(arguments: [["nc", "-N", "-U"], ["ncat", "-U"]])
    func `a half-close ends in an end`(client: [String]) throws {
        let talk = try Talk(client[0], client + ["PATH"], line: "apps:create a")
        #expect(try talk.program.output.rest().text == #"{"ok":true,"output":"Creating a... done"}"# + "\n")
        #expect(try talk.program.process.wait() == .status(0))
    }

    @Test func `the classic client gets a quick reply and is obeyed when it leaves early`() throws {
        let classic = ["nc", "-q", "2", "-w", "2", "-U", "PATH"]
        let quick = try Talk("quick", classic, line: "apps:create a")
        let slow = try Talk("slow", classic, line: "test:wait 6")
        #expect(try quick.program.output.line()?.text == #"{"ok":true,"output":"Creating a... done"}"#)
        #expect(try slow.program.output.rest() == [])
        try slow.daemon.box.journal.line(with: "end ", " 0")
    }
}

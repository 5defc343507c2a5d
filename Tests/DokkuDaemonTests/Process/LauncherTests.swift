// What a child gets from the environment, and how its program is found.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct LauncherTests {
    /// The environment that a child sees.
    private func environment(_ given: [String: String]) throws -> [String: String] {
        let pipe = try Descriptor.pipe(ours: .read)
        let input = EmptyInput()
        let launcher = Launcher(program: "/usr/bin/env", environment: given)
        let pid = try launcher.start(
            ["-0"],
            ChildDescriptors(input: try input.number(), output: pipe.theirs, error: pipe.theirs))
        #expect(waitpid(pid, nil, 0) == pid)
        guard let ours = pipe.takeOurs() else { return [:] }
        var variables: [String: String] = [:]
        var text = ""
        _ = try ReadBuffer().read(ours) { bytes in
            bytes.withUnsafeBufferPointer { text = String(decoding: $0, as: UTF8.self) }
        }
        for entry in text.split(separator: "\0") {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables[String(parts[0])] = parts.dropFirst().first.map(String.init)
        }
        return variables
    }

    @Test func `variables that were meant for the daemon are hidden`() throws {
        var given = ["DOKKU_ROOT": "/home/dokku", "HOME": "/root", "VALUE": "a=b\nc"]
        for name in ChildEnvironment.hiddenVariables { given[name] = "x" }
        for name in ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"] {
            given[name] = "1"
        }
        let seen = try environment(given)
        #expect(Set(seen.keys) == ["DOKKU_ROOT", "HOME", "VALUE", "PATH", "TERM", "LANG"])
        #expect(seen["VALUE"] == "a=b\nc")
    }

    @Test func `the path is complete`() throws {
        #expect(
            try environment([:])["PATH"] == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        let path = try environment(["PATH": "/opt/bin:/usr/bin"])["PATH"]
        #expect(path == "/opt/bin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/bin")
    }

    @Test func `the terminal is dumb`() throws {
        #expect(try environment(["TERM": "xterm"])["TERM"] == "dumb")
    }

    @Test(
        arguments: [
            ([:], "C.UTF-8"), (["LANG": "de_DE.UTF-8"], "de_DE.UTF-8"),
            (["LANG": "en_US.utf8"], "en_US.utf8"),
            (["LANG": "POSIX"], "C.UTF-8"), (["LANG": ""], "C.UTF-8"),
        ] as [([String: String], String)])
    func `the language is UTF-8`(given: [String: String], language: String) throws {
        #expect(try environment(given)["LANG"] == language)
    }

    @Test func `another locale does not outvote the language`() throws {
        let seen = try environment(["LC_ALL": "C", "LC_CTYPE": "POSIX", "LANG": "de_DE.UTF-8"])
        #expect(seen["LC_ALL"] == nil)
        #expect(seen["LC_CTYPE"] == nil)
        #expect(seen["LANG"]?.hasSuffix("UTF-8") == true)
        #expect(try environment(["LC_ALL": "de_DE.UTF-8"])["LC_ALL"] == "de_DE.UTF-8")
    }

    @Test func `the program is looked up at each start`() throws {
        let folder = try Folder()
        let first = try folder.makeFolder("first")
        let second = try folder.makeFolder("second")
        let launcher = Launcher(program: "a-program", environment: ["PATH": "\(first):\(second)"])
        #expect(throws: SystemError.self) { try launcher.locate() }
        try folder.write("#!/bin/sh\n", to: "second/a-program", mode: 0o755)
        #expect(try launcher.locate() == second + "/a-program")
        try folder.write("#!/bin/sh\n", to: "first/a-program", mode: 0o755)
        #expect(try launcher.locate() == first + "/a-program")
    }

    @Test func `a program that may not be run is reported as such`() throws {
        let folder = try Folder()
        try folder.write("#!/bin/sh\n", to: "a-program", mode: 0o644)
        let launcher = Launcher(program: "a-program", environment: ["PATH": folder.path])
        let error = #expect(throws: SystemError.self) { try launcher.locate() }
        #expect(error?.number == EACCES)
    }
}

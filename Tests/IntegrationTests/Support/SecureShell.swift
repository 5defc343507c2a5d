// A real sshd on another machine's stand-in: this one, with keys and configuration of the test's own. ssh starts it for each
// connection, in place of a port.
import Foundation
import TestSupport

final class SecureShell {
    /// In which ssh finds its configuration.
    let path: String
    private let box: Box

    /// The hosts `a`, `b` and `c` are this machine. Programs there are found in the folder `there` of the box first, which has the
    /// built client, and the environment names the socket.
    init(_ box: Box, socket: String) throws {
        self.box = box
        for folder in ["ssh", "here", "there"] { try box.makeFolder(folder) }
        let folder = box.path("ssh")
        for key in ["key", "hostkey"] {
            _ = try PipedProgram.run([
                "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "\(folder)/\(key)",
            ])
        }
        // sshd of root wants it.
        if geteuid() == 0 { mkdir("/run/sshd", 0o755) }
        let usual = "/usr/local/bin:/usr/bin:/bin"
        try box.write(
            """
            HostKey \(folder)/hostkey
            AuthorizedKeysFile \(folder)/key.pub
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            SetEnv PATH=\(box.path("there")):\(usual) DOKKU_SOCK_PATH=\(socket)

            """, to: "ssh/sshd_config")
        try box.write(
            """
            IdentityFile \(folder)/key
            IdentitiesOnly yes
            StrictHostKeyChecking no
            UserKnownHostsFile /dev/null
            LogLevel ERROR
            Host a b c
            ProxyCommand /usr/sbin/sshd -i -f \(folder)/sshd_config -E \(folder)/log
            Host nowhere
            ProxyCommand false

            """, to: "ssh/config")
        path = "\(box.path("here")):\(String(cString: getenv("PATH")))"
        try stand(in: "here", for: "ssh", script: "exec /usr/bin/ssh -F \(folder)/config \"$@\"")
        symlink(ClientProcess.binary, box.path("there/dokku-client"))
    }

    /// Puts a script in place of a program, `here` or `there`.
    func stand(in folder: String, for program: String, script: String) throws {
        unlink(box.path("\(folder)/\(program)"))
        try box.write("#!/bin/sh\n\(script)\n", to: "\(folder)/\(program)", mode: 0o755)
    }

    /// The client here. It has no socket of its own.
    func client(
        _ words: [String], input: ClientProcess.Input = .none, environment: [String: String] = [:]
    ) throws -> ClientProcess {
        try ClientProcess(
            words, to: "/nowhere", input: input,
            environment: ["PATH": path].merging(environment) { _, given in given })
    }

    func run(
        _ words: String..., input: ClientProcess.Input = .none, environment: [String: String] = [:]
    ) throws -> ClientProcess.End {
        try client(words, input: input, environment: environment).end()
    }
}

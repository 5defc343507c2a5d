// The arguments of ssh(1) for one host.
import Glibc

enum SSH {
    enum Input {
        /// ssh's own standard input.
        case passed
        case none
    }

    /// The words of the command that runs `line` there. What the host is called can be no option, and nothing after it is one.
    static func words(
        for host: Host, _ line: [UInt8], input: Input, withTerminal: Bool = false, isAlone: Bool
    ) -> [[UInt8]] {
        var options = ["ssh"]
        if case .none = input { options.append("-n") }
        options.append(withTerminal ? "-t" : "-T")
        // Whoever asks several hosts cannot tell which one asks back.
        if !isAlone { options += ["-o", "BatchMode=yes"] }
        if let port = host.port { options += ["-p", port] }
        if let user = host.user { options += ["-l", user] }
        return (options + ["--", host.name]).map { Array($0.utf8) } + [line]
    }

    /// What ssh says of itself, whatever the command said.
    static let failed: Int32 = 255

    /// What it means that ssh could not be started.
    static func verdict(on failure: SystemFailure) -> Verdict {
        switch failure.number {
        case ENOENT: Verdict(.unavailable, "there is no ssh here: install openssh-client")
        case E2BIG: Verdict(.usage, "the words of the command are too long for ssh")
        default: Verdict(.unavailable, "ssh: \(failure.reason)")
        }
    }

    static func failure(at host: Host) -> String {
        "ssh did not reach \(host.address), or lost it: if the command had begun, its outcome is unknown"
    }
}

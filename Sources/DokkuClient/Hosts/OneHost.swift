// A command on one other machine. Input, output and the terminal are ssh's own; the client only waits.
import Glibc

struct OneHost {
    private let host: Host
    private let arguments: Arguments

    init(_ host: Host, _ arguments: Arguments) {
        self.host = host
        self.arguments = arguments
    }

    func run() -> Verdict {
        do throws(SystemFailure) {
            let signals = try Signals([SIGINT, SIGTERM, SIGQUIT, SIGHUP], andChildren: true)
            let ssh: Child
            do throws(SystemFailure) {
                ssh = try Child(words, [Standard.input, Standard.output, Standard.error])
            } catch {
                return SSH.verdict(on: error)
            }
            return verdict(wait(for: ssh, signals))
        } catch {
            return Verdict(.unavailable, error.reason)
        }
    }

    private func wait(for ssh: Child, _ signals: borrowing Signals) -> (end: Child.End, caught: Int32?) {
        var caught: Int32?
        while true {
            if let end = ssh.end { return (end, caught) }
            var poll = Poll()
            poll.wantsRead(signals.descriptor)
            poll.wait(milliseconds: nil)
            while let signal = signals.next() {
                if signal == SIGCHLD { continue }
                // ssh has Ctrl-C from the terminal already. A second one does it no harm.
                ssh.send(signal)
                caught = signal
            }
        }
    }

    private func verdict(_ result: (end: Child.End, caught: Int32?)) -> Verdict {
        switch result {
        case (.exited(SSH.failed), let signal?), (.signalled, let signal?): Verdict(diesOf: signal)
        case (.exited(SSH.failed), nil), (.signalled, nil): Verdict(.unavailable, SSH.failure(at: host))
        case (.exited(let status), _): Verdict(status)
        }
    }

    private var words: [[UInt8]] {
        let name = arguments.name ?? ""
        let hasTerminal = [Standard.input, Standard.output].allSatisfy { Standard.kind($0) == .terminal }
        // What ssh reads is gone for whoever else reads there, as in a loop over names.
        let isRead =
            arguments.givesInput || !arguments.isDetached && CommandInput.mayAsk(name)
            || CommandInput.isRead(by: name)
        return SSH.words(
            for: host, RemoteCommand.line(arguments), input: isRead ? .passed : .none,
            withTerminal: hasTerminal && CommandInput.isConversation(name) && !arguments.isDetached,
            isAlone: true)
    }
}

// A command on several machines at once, each line of output with its host before it.
import CClientShim
import Glibc

final class ManyHosts {
    /// So many at a time.
    private static let width = 8

    private let arguments: Arguments
    private var waiting: ArraySlice<RemoteRun>
    private var running: [RemoteRun] = []
    private var output = LineOutput()
    private var worst: Int32 = 0
    /// The first signal that came: no more hosts are asked.
    private var caught: Int32?

    init(_ hosts: [Host], _ arguments: Arguments) {
        self.arguments = arguments
        let labels = Host.labels(of: hosts)
        let width = labels.map(\.utf8.count).max() ?? 0
        let line = RemoteCommand.line(arguments)
        waiting =
            zip(hosts, labels).map { host, label in
                let blanks = String(repeating: " ", count: width - label.utf8.count)
                return RemoteRun(
                    host, SSH.words(for: host, line, input: .none, isAlone: false),
                    prefix: "\(label): \(blanks)")
            }[...]
    }

    func run() -> Verdict {
        do throws(SystemFailure) {
            let signals = try Signals([SIGINT, SIGTERM, SIGQUIT, SIGHUP], andChildren: true)
            return try run(signals)
        } catch {
            for run in running { run.send(SIGTERM) }
            return SSH.verdict(on: error)
        }
    }

    private func run(_ signals: borrowing Signals) throws(SystemFailure) -> Verdict {
        while true {
            while caught == nil, running.count < Self.width, let next = waiting.popFirst() {
                try next.start()
                running.append(next)
            }
            if running.isEmpty {
                if let caught { return Verdict(diesOf: caught) }
                if output.isEmpty {
                    return Verdict(output.failure == nil ? worst : max(worst, Self.unwritten))
                }
            }
            var poll = Poll()
            poll.wantsRead(signals.descriptor)
            output.addInterest(to: &poll)
            if !output.isFull { for run in running { run.addInterest(to: &poll) } }
            poll.wait(milliseconds: nil)
            while let signal = signals.next() { if signal != SIGCHLD { received(signal) } }
            for run in running { run.read(after: poll, to: &output) }
            reap()
            if !output.write(after: poll) {
                for run in running { run.send(SIGTERM) }
                return Verdict(diesOf: SIGPIPE)
            }
        }
    }

    private static let unwritten = ExitCode.inputOutput.rawValue

    /// They have Ctrl-C from the terminal already. A second one does them no harm, and if they did not heed the first, it kills.
    private func received(_ signal: Int32) {
        for run in running { run.send(caught == nil ? signal : SIGKILL) }
        caught = caught ?? signal
    }

    private func reap() {
        running.removeAll { run in
            guard let end = run.end(to: &output) else { return false }
            worst = max(worst, status(end, of: run))
            return true
        }
    }

    private func status(_ end: Child.End, of run: RemoteRun) -> Int32 {
        let unavailable = ExitCode.unavailable.rawValue
        // Ctrl-C has ended it, and everybody knows.
        if caught != nil { return unavailable }
        switch end {
        case .exited(0): return 0
        case .exited(SSH.failed), .signalled:
            run.tell(SSH.failure(at: run.host), to: &output)
            return unavailable
        case .exited(let status):
            if !arguments.isQuiet { run.tell("ended with status \(status)", to: &output) }
            return status
        }
    }
}

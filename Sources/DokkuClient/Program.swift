// dokku-client: runs a dokku command through the daemon's socket.
import CClientShim
import DokkuProtocol
import Glibc

/// Not in a file `main.swift`: code there belongs to the main actor, which would link actors, tasks and queues.
@main enum Program {
    static func main() {
        Standard.settle()
        // A write to a pipe that nobody reads is an error, which tells what it was.
        signal(SIGPIPE, SIG_IGN)
        end(run(Array(words.dropFirst()), as: name(words.first ?? [])))
    }

    /// Words of the command line, which need not be UTF-8.
    private static var words: [[UInt8]] {
        (0..<client_argument_count()).map { index in
            guard let word = client_argument(index) else { return [] }
            return Array(UnsafeBufferPointer(start: word, count: strlen(word))).map(UInt8.init(bitPattern:))
        }
    }

    /// What the program was called, without its folder.
    private static func name(_ path: [UInt8]) -> String {
        String(decoding: path.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
    }

    private static func run(_ words: [[UInt8]], as program: String) -> Verdict {
        if program != "dokku", words.first == Array("--complete".utf8) {
            Completion(Array(words.dropFirst())).offer()
            return Verdict(0)
        }
        let arguments: Arguments
        let hosts: [Host]
        do {
            arguments = try Arguments(words, asDokku: program == "dokku")
            hosts = try Host.chosen(by: arguments)
        } catch {
            return Verdict(.usage, error.text)
        }
        switch arguments.form {
        case .help: return printed(Usage.text)
        case .version: return printed("dokku-client \(version)")
        case .command where !hosts.isEmpty: return RemoteCall.run(arguments, on: hosts)
        case .command:
            let verdict = Call(arguments, Presentation(arguments)).run()
            return arguments.endsUnread ? toldBySSH(verdict) : verdict
        }
    }

    /// ssh does not tell which signal a command has died of; to its status it is the same as a lost connection.
    private static func toldBySSH(_ verdict: Verdict) -> Verdict {
        guard case .signal(let signal) = verdict.end else { return verdict }
        return Verdict(128 + signal, verdict.message)
    }

    private static func printed(_ text: String) -> Verdict {
        Message.print(text) ? Verdict(0) : Verdict(.inputOutput, nil)
    }

    private static func end(_ verdict: Verdict) -> Never {
        if let message = verdict.message { Message.say(message) }
        switch verdict.end {
        case .exit(let status): exit(status)
        case .signal(let signal):
            client_die_of(signal)
            // Only a signal that is ignored gets here.
            exit(128 + signal)
        }
    }
}

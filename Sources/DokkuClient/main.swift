// dokku-client: runs a dokku command through the daemon's socket.
import CClientShim
import DokkuProtocol
import Glibc

let arguments: [[UInt8]] = (0..<client_argument_count()).map { index in
    guard let word = client_argument(index) else { return [] }
    return Array(UnsafeBufferPointer(start: word, count: strlen(word))).map(UInt8.init(bitPattern:))
}

/// Words of the command line, which need not be UTF-8.
let program = String(decoding: arguments.first ?? [], as: UTF8.self).split(separator: "/").last ?? ""

func end(_ verdict: Verdict) -> Never {
    if let message = verdict.message { Message.say(message) }
    switch verdict.end {
    case .exit(let status): exit(status)
    case .signal(let signal):
        client_die_of(signal)
        // Only a signal that is ignored gets here.
        exit(128 + signal)
    }
}

func main() -> Verdict {
    let words = Array(arguments.dropFirst())
    if program != "dokku", words.first == Array("--complete".utf8) {
        Completion(Array(words.dropFirst())).offer()
        return Verdict(0)
    }
    let parsed: Arguments
    let hosts: [Host]
    do {
        parsed = try Arguments(words, asDokku: program == "dokku")
        hosts = try Host.chosen(by: parsed)
    } catch {
        return Verdict(.usage, error.text)
    }
    switch parsed.form {
    case .help: return Message.print(Usage.text) ? Verdict(0) : Verdict(.inputOutput, nil)
    case .version: return Message.print("dokku-client \(version)") ? Verdict(0) : Verdict(.inputOutput, nil)
    case .command where !hosts.isEmpty: return RemoteCall.run(parsed, on: hosts)
    case .command: return Call(parsed, viewer: PlainViewer()).run()
    }
}

Standard.settle()
// A write to a pipe that nobody reads is an error, which tells what it was.
signal(SIGPIPE, SIG_IGN)
end(main())

// Asks for the name of what a command would destroy, as dokku does on the host. It reads one line of standard input and not a
// byte more, because the rest may be another command's.
import Glibc

struct Confirmation {
    enum Answer: Equatable {
        case yes
        case no
        /// Standard input ended first.
        case missing
        case interrupted(Int32)
    }

    /// No name is longer.
    private static let limit = 4096

    private let target: [UInt8]
    private let kind: String

    /// Nil if the command does not say what it is to destroy.
    init?(_ arguments: Arguments) {
        guard let target = arguments.target, !target.isEmpty, let name = arguments.name else { return nil }
        self.target = target
        kind =
            switch name {
            case "apps:destroy": "app"
            case "network:destroy": "network"
            case "storage:destroy": "storage entry"
            default: "\(name.split(separator: ":").first ?? "") service"
            }
    }

    var name: String { Printable.text(String(decoding: target, as: UTF8.self)) }

    func ask(_ signals: borrowing Signals) -> Answer {
        prompt()
        var line: [UInt8] = []
        while line.count < Self.limit {
            var poll = Poll()
            poll.wantsRead(signals.descriptor)
            poll.wantsRead(Standard.input)
            poll.wait(milliseconds: nil)
            while let signal = signals.next() {
                switch signal {
                case SIGWINCH: break
                case SIGTSTP:
                    Signals.stop()
                    prompt()
                default:
                    Message.ask("\n")
                    return .interrupted(signal)
                }
            }
            guard poll.canRead(Standard.input) else { continue }
            do throws(SystemFailure) {
                guard let byte = try Transfer.read(Standard.input, 1).first else {
                    Message.ask("\n")
                    return matches(line) ? .yes : .missing
                }
                if byte == UInt8(ascii: "\n") { return matches(line) ? .yes : .no }
                line.append(byte)
            } catch {
                if !error.wouldBlock { return .missing }
            }
        }
        return .no
    }

    private func prompt() {
        Message.ask(
            " !     WARNING: this will destroy the \(Printable.text(kind)) \(name). To proceed, type \"\(name)\"\n> "
        )
    }

    /// As dokku, without the blanks around it.
    private func matches(_ line: [UInt8]) -> Bool {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var answer = line[...]
        while let byte = answer.first, isBlank(byte) { answer.removeFirst() }
        while let byte = answer.last, isBlank(byte) { answer.removeLast() }
        return answer.elementsEqual(target)
    }
}

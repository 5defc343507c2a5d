// What a socket's rules let its clients do, in words for people.
import DokkuProtocol

struct SocketRights {
    let rules: ListenerRules
    /// The rules' list has been read.
    let lists: AllowFolder

    private var list: AllowList? { rules.list.flatMap { lists[$0] } }

    /// One thought a line.
    var lines: [String] {
        var lines: [String] = []
        if let user = rules.user { lines.append("commands run as over ssh with the key \(user)") }
        if rules.options.contains(.readOnly) {
            lines.append("only commands that change nothing and show no secret")
        }
        if let name = rules.list {
            let allowed = list?.lines ?? []
            lines.append(
                allowed.isEmpty
                    ? "nothing: \(lists.path(of: name)) has no line"
                    : "only what \(lists.path(of: name)) lists:")
            lines += allowed.map { "    \($0.text)" }
        }
        if !rules.isRestricted { lines.append("everything that dokku can, which is root on most hosts") }
        if rules.options.contains(.descriptors) {
            lines.append("clients may hand over their own standard input, output and error")
        }
        return lines.map { "    \($0)" }
    }

    /// Lines of the list that give more than they seem to.
    var warnings: [String] {
        guard let name = rules.list, let list else { return [] }
        return list.lines.compactMap { line in
            Hazard.of(line).map { hazard in
                "\(lists.path(of: name)): line \(line.number): \(line.name) \(hazard.kind.text): \(hazard.reason)"
            }
        }
    }
}

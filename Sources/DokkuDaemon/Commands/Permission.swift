// What the rules `name=` and `allow=` of a socket let through. `ReadOnly` is the third such rule; all must agree.
import DokkuProtocol

struct Permission: Sendable {
    let rules: ListenerRules
    /// The list that the rules name. If it is missing, nothing is allowed.
    private let list: AllowList?

    init(_ rules: ListenerRules, list: AllowList? = nil) {
        self.rules = rules
        self.list = list
    }

    /// Why these words must not run, or nil. `nameIndex` is where the command's name is, if there is one.
    func refusal(of arguments: ArgumentList, at nameIndex: Int?, form: RequestForm) -> Refusal? {
        if rules.owner == .host { return nil }
        // The daemon opens them as root.
        if form.isRedirected { return .noFiles }
        if rules.list != nil, !isListed(arguments, at: nameIndex, form) { return .notListed }
        guard let nameIndex, rules.user != nil else { return nil }
        if Self.needsRoot(arguments.text(nameIndex)) { return .needsRoot }
        // dokku's plugins check the word after the command's name. dokku then puts the app of the flag before that word,
        // wherever the flag stands.
        return arguments.contains("--app") ? .appFlag : nil
    }

    /// Whether a command of this name may run with some words.
    func mayRun(_ name: String) -> Bool {
        if rules.user != nil, Self.needsRoot(name) { return false }
        return rules.list == nil || list?.names(name) ?? false
    }

    /// The line of the list that allows the request; nil if none does.
    func line(allowing arguments: ArgumentList, _ form: RequestForm) -> AllowLine? {
        list?.line(allowing: arguments, hasInput: form.hasInput)
    }

    private func isListed(_ arguments: ArgumentList, at nameIndex: Int?, _ form: RequestForm) -> Bool {
        if !form.hasInput, Self.isFree(arguments, at: nameIndex) { return true }
        guard line(allowing: arguments, form) != nil else { return false }
        if !form.isDetached { return true }
        // To detach a command is a command of its own.
        return list?.line(allowing: arguments.preceded(by: "daemon:submit"), hasInput: false) != nil
    }

    /// The daemon's own commands that need no line: they tell nothing about the host.
    static func isFree(_ arguments: ArgumentList, at nameIndex: Int?) -> Bool {
        switch nameIndex.flatMap({ Builtin.named(arguments, at: $0) }) {
        case .version, .help: true
        default: false
        }
    }

    /// What dokku refuses to everybody but root.
    private static func needsRoot(_ name: String) -> Bool {
        if name == "plugin:help" || name == "plugin:list" { return false }
        return name.hasPrefix("plugin:") || CommandTable.traits[name]?.needsRoot == true
    }
}

extension Refusal {
    static let notListed = Refusal(code: .denied, text: "This socket's list of commands does not allow this")
    static let noFiles = Refusal(code: .denied, text: "Files cannot be used on this socket")
    static let needsRoot = Refusal(
        code: .denied, text: "This command needs root, and this socket's commands do not run as root")
    static let appFlag = Refusal(
        code: .denied,
        text: "--app cannot be used on this socket: name the app after the command's name")
}

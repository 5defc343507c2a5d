// `dokku-daemon --explain RULES COMMAND...`: whether a socket with these rules would run a command, and why.
import DokkuProtocol

enum Explanation: Equatable {
    /// Why it would run.
    case allowed(String)
    /// Why it would not.
    case denied(String)
    /// The rules, or what they need, are wrong: a line for each fault.
    case faulty([String])

    /// A `<` at the end of the words stands for an input that the client sends.
    init(of words: [String], _ rules: String, configuration: Configuration) {
        do throws(ListenerRules.Fault) {
            self = Self.explain(words, try ListenerRules(parsing: rules), configuration)
        } catch {
            self = .faulty([error.text])
        }
    }

    private static func explain(
        _ words: [String], _ rules: ListenerRules, _ configuration: Configuration
    ) -> Explanation {
        let lists = AllowFolder(configuration.allowFolder)
        let faults = RightsCheck(
            keyHolderComplaint: SystemUser(name: configuration.systemUser, ownUser: 0).complaint, lists: lists
        ).faults(of: rules)
        guard faults.isEmpty else { return .faulty(faults) }
        let permission = Permission(rules, list: rules.list.flatMap { lists[$0] })
        let hasInput = words.last == "<"
        let arguments = ArgumentList(hasInput ? words.dropLast() : words)
        // The form in which most is possible.
        var form = RequestForm(isPlain: false, isStreamed: true, hasInput: hasInput, isRedirected: false)
        form.hasDescriptors = rules.options.contains(.descriptors)
        var verdict = Policy.judge(arguments, form: form, permission: permission, catalogue: nil)
        if case .builtin(.submit) = verdict, let name = Invocation.nameIndex(in: arguments) {
            form.isDetached = true
            verdict = Policy.judge(
                arguments.without(name), form: form, permission: permission, catalogue: nil)
        }
        return explain(
            verdict, permission.line(allowing: arguments, form),
            path: rules.list.map(lists.path(of:)) ?? "")
    }

    private static func explain(_ verdict: Verdict, _ line: AllowLine?, path: String) -> Explanation {
        let reason = line.map { "\(path), line \($0.number): \($0.text)" }
        switch verdict {
        case .refuse(let refusal): return .denied(refusal.text)
        case .builtin: return .allowed(reason ?? "it is one of the daemon's own commands")
        // Without the list of dokku's commands, no name is certain.
        case .run(let invocation, _), .unknown(let invocation):
            let isKnown = invocation.traits != nil
            return .allowed(
                (reason ?? "no rule forbids it") + (isKnown ? "" : " (if dokku has this command)"))
        }
    }
}

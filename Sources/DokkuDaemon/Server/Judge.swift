// Applies the policy to a request, with the current list of commands.
import DokkuProtocol

final class Judge {
    private let catalogue: CatalogueKeeper
    private let loop: EventLoop
    /// The answer to every request, if none can be carried out.
    private let refusesAll: Refusal?
    private let tracing: Tracing
    private let lists: AllowFolder

    init(
        catalogue: CatalogueKeeper, loop: EventLoop, refusesAll: Refusal?, tracing: Tracing,
        lists: AllowFolder = AllowFolder("/")
    ) {
        self.catalogue = catalogue
        self.loop = loop
        self.refusesAll = refusesAll
        self.tracing = tracing
        self.lists = lists
    }

    /// The verdict with the list of commands as it is. A name that the list lacks may be newer than the list.
    func verdict(on arguments: ArgumentList, _ form: RequestForm, _ rules: ListenerRules) -> Verdict {
        if let refusesAll { return .refuse(refusesAll) }
        let verdict = Policy.judge(
            arguments, form: form, permission: permission(rules), catalogue: catalogue.current)
        if case .run = verdict, rules.options.contains(.readOnly), tracing.isOn { return .refuse(.traced) }
        return verdict
    }

    /// Grows whenever the lists of allowed commands change.
    var revision: Int { lists.revision }

    /// What the rules allow as things stand.
    func permission(_ rules: ListenerRules) -> Permission {
        Permission(rules, list: rules.list.flatMap { lists[$0] })
    }

    /// True if the name is one of dokku's, or a known plugin's. Any other refused line may be nothing but a secret.
    func knows(_ arguments: ArgumentList) -> Bool {
        guard let invocation = Invocation(arguments) else { return false }
        return invocation.traits != nil || catalogue.current?.contains(invocation.name) ?? false
    }

    /// Gives the final verdict, never `unknown`: if necessary, the list of commands is read again first.
    func whenKnown(
        _ arguments: ArgumentList, _ form: RequestForm, _ rules: ListenerRules,
        _ completion: @escaping (Verdict) -> Void
    ) {
        let verdict = verdict(on: arguments, form, rules)
        guard case .unknown = verdict else { return completion(verdict) }
        whenCurrent { [self] failure in
            if let failure { return completion(.refuse(failure)) }
            let verdict = self.verdict(on: arguments, form, rules)
            if case .unknown(let invocation) = verdict {
                completion(.refuse(.unknownCommand(invocation.name, on: rules)))
            } else {
                completion(verdict)
            }
        }
    }

    /// Waits for the list of commands, as long as a request may.
    func whenCurrent(_ completion: @escaping (Refusal?) -> Void) {
        var isOver = false
        var timer: Timer?
        let finish: (Refusal?) -> Void = { failure in
            if isOver { return }
            isOver = true
            timer?.cancel()
            completion(failure)
        }
        catalogue.whenCurrent(finish)
        if isOver { return }
        timer = loop.timers.schedule(after: CatalogueKeeper.patience) {
            finish(
                Refusal(code: .spawnFailed, text: "The list of dokku's commands could not be read in time"))
        }
    }
}

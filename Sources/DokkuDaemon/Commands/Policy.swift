// Decides what happens to a command line: the daemon answers it, runs it or refuses it. A pure function.
import DokkuProtocol

struct Policy {
    /// Judges one request. Built-ins, and requests that are refused in any case, need no catalogue, so it is
    /// evaluated after them.
    static func judge(
        _ arguments: ArgumentList, form: RequestForm, permission: Permission,
        catalogue: @autoclosure () -> Catalogue?
    ) -> Verdict {
        let listener = permission.rules
        let nameIndex = Invocation.nameIndex(in: arguments)
        if let refusal = permission.refusal(of: arguments, at: nameIndex, form: form) {
            return .refuse(refusal)
        }
        guard let nameIndex else { return .refuse(.invalidCommand) }
        do {
            if let builtin = try Builtin.matching(arguments, at: nameIndex) {
                if let refusal = refusal(of: builtin, arguments, form: form, listener: listener) {
                    return .refuse(refusal)
                }
                return .builtin(builtin)
            }
        } catch {
            return .refuse(error)
        }
        guard let invocation = Invocation(arguments, nameIndex: nameIndex) else {
            return .refuse(.invalidCommand)
        }
        let name = invocation.name
        guard isPossible(invocation) else { return .refuse(.unknownCommand(name, on: listener)) }

        let traits = invocation.traits
        let catalogue = catalogue()
        let isKnown = catalogue?.contains(name) ?? false
        if listener.options.contains(.readOnly) {
            if form.isDetached { return .refuse(.readOnlySocket) }
            if traits == nil, !isKnown, catalogue != nil {
                return .refuse(.unknownCommand(name, on: listener))
            }
            if let refusal = ReadOnly.refusal(of: invocation, form: form) {
                return .refuse(refusal)
            }
        }
        // The daemon knows enough about the commands in its own table. A plugin's command must exist before its
        // form matters.
        guard isKnown || traits != nil else { return .unknown(invocation) }
        let isEndless = Self.isEndless(invocation)
        if let refusal = refusal(of: invocation, isEndless: isEndless, form: form) {
            return .refuse(refusal)
        }
        guard isKnown else { return .unknown(invocation) }
        if form.hasDescriptors, invocation.isTalk { return .run(invocation, .talk) }
        if isEndless { return .run(invocation, .follow) }
        // In the queue it would wait for the very build that it shows.
        if traits?.endless == .build { return .run(invocation, form.isStreamed ? .follow : .beside) }
        return .run(invocation, name == "builds:cancel" ? .cancel : .queue)
    }

    private static func refusal(
        of builtin: Builtin, _ arguments: ArgumentList, form: RequestForm, listener: ListenerRules
    ) -> Refusal? {
        if listener.options.contains(.readOnly) {
            let isPlainRead =
                !builtin.entry.changesSomething && !builtin.entry.showsOutput && !form.hasInput
                && !form.isRedirected
            if !isPlainRead || arguments.contains("--trace") { return .readOnlySocket }
        }
        if form.isDetached {
            return .invalid("The daemon's own commands cannot be detached")
        }
        if form.isRedirected, builtin != .submit {
            return .invalid("A built-in command cannot be redirected")
        }
        return builtin.entry.isEndless && !form.isStreamed ? .endless("\(builtin.entry.name)") : nil
    }

    /// False if no catalogue can make this a command.
    private static func isPossible(_ invocation: Invocation) -> Bool {
        let name = invocation.name
        if CommandName.isVersionFlag(name) { return invocation.argumentCount == 0 }
        return CommandName.isWellFormed(name.utf8) && !name.utf8.starts(with: "daemon:".utf8)
    }

    private static func isEndless(_ invocation: Invocation) -> Bool {
        let traits =
            invocation.traits ?? (CommandName.ends(invocation.name, with: ":logs") ? pluginLogs : nil)
        return traits?.isEndless(invocation.arguments, after: invocation.nameIndex) ?? false
    }

    /// The traits of a plugin's `NAME:logs`.
    private static let pluginLogs = CommandTraits(endless: .withFlag(["-t", "--tail"]))

    private static func refusal(
        of invocation: Invocation, isEndless: Bool, form: RequestForm
    ) -> Refusal? {
        let name = invocation.name
        if name == "shell" { return .notImplemented }
        if name == "enter" {
            if form.isPlain { return .notImplemented }
            if !startsProgram(invocation), !form.hasDescriptors {
                return Refusal(
                    code: .notSupported, text: "There is no terminal here: enter needs a command to run")
            }
        }
        let destroys = CommandName.ends(name, with: ":destroy")
        if (destroys || invocation.traits?.confirms ?? false) && !invocation.hasForce {
            // The datastore plugins accept the short flag; dokku's own commands do not.
            if invocation.traits != nil || !invocation.arguments.contains("-f") { return .requiresForce }
        }
        if !form.hasInput, wantsInput(invocation) {
            return Refusal(code: .requiresStdin, text: "\(name) reads standard input, and none was given")
        }
        if isEndless && form.isDetached {
            return Refusal(
                code: .notSupported,
                text: "In this form \(name) does not end by itself, so it cannot be detached")
        }
        if isEndless && !form.isStreamed {
            return .endless(name)
        }
        return nil
    }

    /// True for a command that would hang without input, or take no input as an order to empty something.
    private static func wantsInput(_ invocation: Invocation) -> Bool {
        if invocation.name == "config:import" { return importsInput(invocation) }
        return invocation.name == "certs:generate" || CommandName.ends(invocation.name, with: ":import")
    }

    /// Whether `config:import [APP] [FILE]` reads standard input: its file is `-`, empty or missing.
    private static func importsInput(_ invocation: Invocation) -> Bool {
        let arguments = invocation.arguments
        var plain: [Int] = []
        var isGlobal = false
        var index = invocation.nameIndex + 1
        while index < arguments.count {
            let word = arguments[index]
            if word.count > 1, word.first == UInt8(ascii: "-") {
                // After `--` no word is a flag, and `--global=…` may mean true or false.
                if arguments.word(index, is: "--") || word.starts(with: "--global=".utf8) { return true }
                if arguments.word(index, is: "--global") { isGlobal = true }
                if arguments.word(index, is: "--format") { index += 1 }
            } else {
                plain.append(index)
            }
            index += 1
        }
        let place = (isGlobal ? 0 : 1) - (invocation.namesApp ? 1 : 0)
        guard plain.indices.contains(place) else { return true }
        return arguments[plain[place]].isEmpty || arguments.word(plain[place], is: "-")
    }

    /// True if `enter APP PROCESS COMMAND…` names a command. `--container-id ID` can take the place of the process.
    private static func startsProgram(_ invocation: Invocation) -> Bool {
        let first = invocation.nameIndex + 1
        let process = invocation.namesApp ? first : first + 1
        let count = invocation.arguments.count
        guard process < count else { return false }
        return process + (invocation.arguments.word(process, is: "--container-id") ? 2 : 1) < count
    }
}

extension Refusal {
    fileprivate static func endless(_ name: String) -> Refusal {
        Refusal(
            code: .notSupported,
            text: "In this form \(name) does not end by itself: send a JSON request with \"stream\":true")
    }

    static let readOnlySocket = Refusal(code: .denied, text: "Not allowed on this read-only socket")

    /// The answer to a name that is not a command. Clients of a `one-shot` socket expect dokku's own words.
    static func unknownCommand(_ name: String, on listener: ListenerRules) -> Refusal {
        guard listener.options.contains(.oneShot) else { return .invalidCommand }
        let name = Redaction.sanitize(Redaction.masked(name.utf8), limit: 256)
        return Refusal(
            code: .invalidCommand,
            text:
                " !     `\(name)` is not a dokku command.\n !     See `dokku help` for a list of available commands."
        )
    }
}

// Takes a line, parses and judges it, and passes it to a built-in or to the executor, or refuses it.
import DokkuProtocol
import Glibc

final class Dispatcher: RequestTaker {
    private let executor: Executor
    private let detacher: Detacher
    private let catalogue: CatalogueKeeper
    private let builtins: Builtins
    private let judge: Judge
    private let log: AuditLog
    private let loop: EventLoop
    private let limits: ServerLimits
    /// Reused for each plain line.
    private var words = ArgumentList()

    init(
        executor: Executor, detacher: Detacher, catalogue: CatalogueKeeper, builtins: Builtins, judge: Judge,
        log: AuditLog, loop: EventLoop, limits: ServerLimits
    ) {
        self.executor = executor
        self.detacher = detacher
        self.catalogue = catalogue
        self.builtins = builtins
        self.judge = judge
        self.log = log
        self.loop = loop
        self.limits = limits
    }

    // MARK: Lines

    func take(_ line: ArraySlice<UInt8>, with handOver: HandOver, from client: any Requester) {
        if LineFramer.beginsJSON(line) { return takeJSON(line, with: handOver, from: client) }
        switch handOver {
        case .nothing: takePlain(line, from: client)
        case .streams: refuseLine(from: client, .uninvited, isJSON: false)
        case .refused(let refusal): refuseLine(from: client, refusal, isJSON: false)
        }
    }

    func refuseLine(from client: any Requester, _ refusal: Refusal, isJSON: Bool) {
        let responder: any Responder =
            isJSON
            ? JSONResponder(client, fault: JSONRequest.Fault(refusal: refusal)) : plainResponder(for: client)
        client.didOpen(responder)
        refuse(refusal, nameless: client, responder)
    }

    func turnAway(_ line: ArraySlice<UInt8>, _ refusal: Refusal, from client: any Requester) {
        guard LineFramer.beginsJSON(line) else {
            return plainResponder(for: client).refuse(refusal)
        }
        var fault = JSONRequest.Fault(refusal: refusal)
        do throws(JSONRequest.Fault) {
            let request = try JSONRequestDecoder.decode(line)
            (fault.id, fault.isStreamed) = (request.id, request.isStreamed)
        } catch {
            (fault.id, fault.isStreamed) = (error.id, error.isStreamed)
        }
        JSONResponder(client, fault: fault).refuse(refusal)
    }

    private func plainResponder(for client: any Requester) -> PlainResponder {
        PlainResponder(client, keepsAnsi: client.rules.options.contains(.keepAnsi))
    }

    private func takePlain(_ line: ArraySlice<UInt8>, from client: any Requester) {
        // Moved out of the property meanwhile: each read of a property is counted and may copy, because the
        // property could change.
        var words = ArgumentList()
        swap(&words, &self.words)
        defer { swap(&words, &self.words) }
        let redirection: Redirection?
        do throws(ShellWords.Failure) {
            redirection =
                client.rules.options.contains(.rawWords)
                ? try ShellWords.splitAtBlanks(line, into: &words) : try ShellWords.split(line, into: &words)
        } catch {
            return refuse(error.refusal, nameless: client, plainResponder(for: client), words)
        }
        let form = RequestForm(
            isPlain: true, isStreamed: false, hasInput: redirection?.direction == .input,
            isRedirected: redirection != nil)
        let verdict = judge.verdict(on: words, form, client.rules)
        // An answer that needs nobody else is sent at once.
        if case .builtin(let builtin) = verdict, let reply = builtins.plainLine(builtin) {
            return client.send(line: reply)
        }
        let responder = plainResponder(for: client)
        client.didOpen(responder)
        carryOut(
            verdict,
            Incoming(
                client: client, responder: responder, arguments: words, form: form,
                request: RunRequest(redirection)))
    }

    private func takeJSON(
        _ line: ArraySlice<UInt8>, with handOver: HandOver, from client: any Requester
    ) {
        do throws(JSONRequest.Fault) {
            try takeJSON(JSONRequestDecoder.decode(line), with: handOver, from: client)
        } catch {
            let responder = JSONResponder(client, fault: error)
            client.didOpen(responder)
            refuse(error.refusal, nameless: client, responder)
            switch error.following {
            case .nothing: break
            case .bytes(let count): client.expectInput(.bytes(count), for: BodyReceiver())
            case .unknown: client.expectNothing()
            }
        }
    }

    private func takeJSON(
        _ request: JSONRequest, with handOver: HandOver, from client: any Requester
    ) {
        let responder = JSONResponder(client, request)
        client.didOpen(responder)
        var incoming = Incoming(
            client: client, responder: responder, arguments: request.command,
            form: RequestForm(
                isPlain: false, isStreamed: request.isStreamed, hasInput: request.input != nil,
                isRedirected: false, isDetached: request.isDetached))
        incoming.request.separatesStreams = true
        incoming.request.timeout = request.timeout
        incoming.id = request.id
        if case .text(let id) = request.id { incoming.attachedBytes = id.utf8.count }
        do throws(Refusal) {
            try incoming.adopt(handOver, request)
        } catch {
            refuse(error, incoming)
            if case .following(let count) = request.input {
                client.expectInput(.bytes(count), for: BodyReceiver())
            }
            return
        }
        switch request.input {
        case nil: decide(incoming)
        case .bytes(let bytes): takeInput(bytes, of: incoming)
        case .following(let count): takeInput(following: count, of: incoming)
        case .chunks: takeChunks(of: incoming, responder)
        }
    }

    // MARK: Inputs

    private func takeInput(_ bytes: [UInt8], of incoming: Incoming) {
        let spool = Spool(account: incoming.client.account)
        guard bytes.count <= limits.input, spool.keep({ $0.append(contentsOf: bytes) }) else {
            return refuse(.inputTooLong(limits.input), incoming)
        }
        var incoming = incoming
        incoming.request.input = .spool(spool)
        incoming.attachedBytes += bytes.count
        decide(incoming)
    }

    private func takeInput(following count: Int, of incoming: Incoming) {
        let client = incoming.client
        // A request that is refused in any case needs no room for its input.
        let verdict = judge.verdict(on: incoming.arguments, incoming.form, client.rules)
        if let refusal = count > limits.input ? .inputTooLong(limits.input) : verdict.refusal {
            refuse(refusal, incoming)
        } else if let incoming = reserved(incoming, beside: Self.inputInMemory) {
            return client.expectInput(.bytes(count), for: receiver(incoming))
        }
        client.expectInput(.bytes(count), for: BodyReceiver())
    }

    private func takeChunks(of incoming: Incoming, _ responder: JSONResponder) {
        guard let incoming = reserved(incoming, beside: Self.inputInMemory) else { return }
        let client = incoming.client
        client.holdBack()
        judge.whenKnown(incoming.arguments, incoming.form, client.rules) { [self, incoming] verdict in
            if let refusal = verdict.refusal ?? (executor.isStopping ? .shuttingDown : nil) {
                client.resume()
                refuse(refusal, incoming)
            } else {
                responder.askForInput()
                client.expectInput(.chunks, for: receiver(incoming))
            }
        }
    }

    /// Takes the input of a request. When the input is complete, the request is judged again.
    private func receiver(_ incoming: Incoming) -> BodyReceiver {
        BodyReceiver(
            into: Spool(account: incoming.client.account), limit: limits.input, patience: limits.inputTime,
            loop: loop
        ) { [self] result in
            switch result {
            case .success(let spool):
                var incoming = incoming
                incoming.request.input = .spool(spool)
                decide(incoming)
            case .failure(let refusal): refuse(refusal, incoming)
            }
        }
    }

    // MARK: Memory

    /// The input of a request has about this much in memory, and the rest in files.
    private static let inputInMemory = 4 * 1024

    /// Charges the request's memory to a budget until the request is done. If that is too much, refuses the request
    /// and returns nil.
    private func reserved(_ incoming: Incoming, beside attachedBytes: Int = 0) -> Incoming? {
        if incoming.request.reservation != nil { return incoming }
        var incoming = incoming
        incoming.attachedBytes += attachedBytes
        incoming.request.reservation = Reservation(incoming.memory, of: incoming.client.words)
        if incoming.request.reservation != nil { return incoming }
        refuse(.memoryFull, incoming)
        return nil
    }

    // MARK: Verdicts

    private func decide(_ incoming: Incoming) {
        carryOut(judge.verdict(on: incoming.arguments, incoming.form, incoming.client.rules), incoming)
    }

    private func carryOut(_ verdict: Verdict, _ incoming: Incoming) {
        switch verdict {
        case .builtin(.submit):
            if incoming.form.hasDescriptors { return refuse(.noDescriptorsForDetached, incoming) }
            decide(submitted(incoming))
        case .builtin(let builtin):
            guard let incoming = builtin.entry.mayWait ? reserved(incoming) : incoming else { return }
            builtins.answer(builtin, incoming)
        case .refuse(let refusal): refuse(refusal, incoming)
        case .run(let invocation, let lane): run(invocation, lane, incoming)
        case .unknown:
            guard let incoming = reserved(incoming) else { return }
            judge.whenKnown(incoming.arguments, incoming.form, incoming.client.rules) { [self, incoming] in
                carryOut($0, incoming)
            }
        }
    }

    /// The request for the command that follows `daemon:submit`, with the global flags before it.
    private func submitted(_ incoming: Incoming) -> Incoming {
        var incoming = incoming
        incoming.arguments = incoming.arguments.without(Invocation.nameIndex(in: incoming.arguments) ?? 0)
        incoming.form.isDetached = true
        return incoming
    }

    private func run(_ invocation: Invocation, _ lane: Lane, _ incoming: Incoming) {
        catalogue.noticeChangesSoon()
        guard let incoming = reserved(incoming) else { return }
        let command = Command(invocation: invocation, lane: lane, request: incoming.request)
        if incoming.form.isDetached { return detach(command, incoming) }
        do throws(Refusal) {
            let client = incoming.client
            try executor.submit(
                command, from: client.submitter, peer: client.peer, observer: incoming.responder)
        } catch {
            refuse(error, incoming)
        }
    }

    private func detach(_ command: Command, _ incoming: Incoming) {
        detacher.submit(command, from: incoming.client) { [self, incoming] result in
            switch result {
            case .success(let number): incoming.responder.answer(acceptedJob: number)
            case .failure(let refusal): refuse(refusal, incoming)
            }
        }
    }

    private func refuse(_ refusal: Refusal, _ incoming: Incoming) {
        refuse(
            refusal, incoming.client, incoming.responder, incoming.arguments,
            isUnderstood: refusal.code != .invalidCommand && judge.knows(incoming.arguments))
    }

    /// Refuses a line whose command is unknown.
    private func refuse(
        _ refusal: Refusal, nameless client: any Requester, _ responder: any Responder,
        _ words: ArgumentList = []
    ) {
        refuse(refusal, client, responder, words, isUnderstood: false)
    }

    private func refuse(
        _ refusal: Refusal, _ client: any Requester, _ responder: any Responder, _ words: ArgumentList,
        isUnderstood: Bool
    ) {
        log.refused(Redaction.describe(words, isUnderstood: isUnderstood), peer: client.peer, refusal)
        responder.refuse(refusal)
    }
}

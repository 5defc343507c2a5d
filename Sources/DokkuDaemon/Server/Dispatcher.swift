// From a line to what becomes of it: parsed, judged, and handed to a built-in, to the executor, or back as a
// refusal.
import Glibc

final class Dispatcher {
    private let executor: Executor
    private let catalogue: CatalogueKeeper
    private let builtins: Builtins
    private let log: AuditLog
    private let loop: EventLoop
    /// Reused for each plain line.
    private var words = ArgumentList()

    init(
        executor: Executor, catalogue: CatalogueKeeper, builtins: Builtins, log: AuditLog, loop: EventLoop
    ) {
        self.executor = executor
        self.catalogue = catalogue
        self.builtins = builtins
        self.log = log
        self.loop = loop
    }

    /// A parsed request on its way.
    struct Incoming {
        var arguments: ArgumentList
        var form: RequestForm
        var redirection: Redirection?
        var input: Spool?
        var separatesStreams = false
        var timeout: Duration?
    }

    // MARK: Lines

    func take(_ line: ArraySlice<UInt8>, from client: Client) {
        if LineFramer.beginsJSON(line) { takeJSON(line, from: client) } else { takePlain(line, from: client) }
    }

    /// Refuses a line of which nothing is known but its form.
    func refuseLine(from client: Client, _ refusal: Refusal, isJSON: Bool) {
        let responder: any Responder =
            isJSON
            ? JSONResponder(client: client, fault: JSONRequest.Fault(refusal: refusal))
            : PlainResponder(client: client)
        refuse(refusal, [], isUnderstood: false, for: responder)
    }

    /// Answers the first line of who is not served, in the form that it has.
    func turnAway(_ line: ArraySlice<UInt8>, _ refusal: Refusal, from client: Client) {
        guard LineFramer.beginsJSON(line) else { return PlainResponder(client: client).refuse(refusal) }
        var fault = JSONRequest.Fault(refusal: refusal)
        do throws(JSONRequest.Fault) {
            let request = try JSONRequestDecoder.decode(line)
            (fault.id, fault.isStreamed) = (request.id, request.isStreamed)
        } catch {
            (fault.id, fault.isStreamed) = (error.id, error.isStreamed)
        }
        JSONResponder(client: client, fault: fault).refuse(refusal)
    }

    private func takePlain(_ line: ArraySlice<UInt8>, from client: Client) {
        // Taken out meanwhile: what stands in a property could change, and is counted and copied where it is read.
        var words = ArgumentList()
        swap(&words, &self.words)
        defer { swap(&words, &self.words) }
        let redirection: Redirection?
        do throws(ShellWords.Failure) {
            redirection =
                client.options.contains(.rawWords)
                ? try ShellWords.splitAtBlanks(line, into: &words) : try ShellWords.split(line, into: &words)
        } catch {
            return refuse(error.refusal, words, isUnderstood: false, for: PlainResponder(client: client))
        }
        let form = RequestForm(
            isPlain: true, isStreamed: false, hasInput: redirection?.direction == .input,
            isRedirected: redirection != nil)
        let verdict = Policy.judge(words, form: form, listener: client.options, catalogue: catalogue.current)
        // What needs no one else is answered on the spot.
        if case .builtin(let builtin) = verdict, let reply = builtins.plainLine(builtin) {
            return client.send(line: reply)
        }
        client.plainIsOpen()
        let incoming = Incoming(arguments: words, form: form, redirection: redirection)
        carryOut(verdict, incoming, for: PlainResponder(client: client))
    }

    private func takeJSON(_ line: ArraySlice<UInt8>, from client: Client) {
        do throws(JSONRequest.Fault) {
            let request = try JSONRequestDecoder.decode(line)
            takeJSON(request, from: client)
        } catch {
            let responder = JSONResponder(client: client, fault: error)
            refuse(error.refusal, [], isUnderstood: false, for: responder)
            if error.followingBytes > 0 {
                client.expectInput(.bytes(error.followingBytes), for: BodyReceiver())
            }
        }
    }

    private func takeJSON(_ request: JSONRequest, from client: Client) {
        let responder = JSONResponder(client: client, request: request)
        var incoming = Incoming(
            arguments: request.command,
            form: RequestForm(
                isPlain: false, isStreamed: request.isStreamed, hasInput: request.input != nil,
                isRedirected: false))
        incoming.separatesStreams = true
        incoming.timeout = request.timeout
        switch request.input {
        case nil:
            judge(incoming, for: responder)
        case .bytes(let bytes):
            let spool = Spool(account: client.account)
            guard bytes.count <= client.inputLimit, spool.keep({ $0.append(contentsOf: bytes) }) else {
                return refuse(.inputTooLong(client.inputLimit), incoming.arguments, for: responder)
            }
            incoming.input = spool
            judge(incoming, for: responder)
        case .following(let count):
            guard count <= client.inputLimit else {
                refuse(.inputTooLong(client.inputLimit), incoming.arguments, for: responder)
                return client.expectInput(.bytes(count), for: BodyReceiver())
            }
            // What is refused in any case takes up no room for its input.
            if case .refuse(let refusal) = verdict(on: incoming, for: responder) {
                refuse(refusal, incoming.arguments, for: responder)
                return client.expectInput(.bytes(count), for: BodyReceiver())
            }
            client.expectInput(.bytes(count), for: receiver(incoming, for: responder))
        case .chunks:
            client.holdBack()
            whenJudged(incoming, for: responder) { [self] refusal in
                if let refusal {
                    client.resume()
                    refuse(refusal, incoming.arguments, for: responder)
                } else {
                    responder.askForInput()
                    client.expectInput(.chunks, for: receiver(incoming, for: responder))
                }
            }
        }
    }

    /// Takes the input of a request that is judged once more when all of it is there.
    private func receiver(_ incoming: Incoming, for responder: JSONResponder) -> BodyReceiver {
        let client = responder.client
        return BodyReceiver(into: Spool(account: client.account), limit: client.inputLimit) { [self] result in
            switch result {
            case .success(let spool):
                var incoming = incoming
                incoming.input = spool
                judge(incoming, for: responder)
            case .failure(let refusal):
                refuse(refusal, incoming.arguments, for: responder)
            }
        }
    }

    // MARK: Verdicts

    private func judge(_ incoming: Incoming, for responder: any Responder) {
        carryOut(verdict(on: incoming, for: responder), incoming, for: responder)
    }

    private func verdict(on incoming: Incoming, for responder: any Responder) -> Verdict {
        Policy.judge(
            incoming.arguments, form: incoming.form, listener: responder.client.options,
            catalogue: catalogue.current)
    }

    private func carryOut(_ verdict: Verdict, _ incoming: Incoming, for responder: any Responder) {
        switch verdict {
        case .builtin(let builtin): answer(builtin, incoming, for: responder)
        case .refuse(let refusal): refuse(refusal, incoming.arguments, for: responder)
        case .run(let invocation, let lane): run(invocation, lane, incoming, for: responder)
        case .unknown: awaitCatalogue(incoming, for: responder)
        }
    }

    private func run(
        _ invocation: Invocation, _ lane: Lane, _ incoming: Incoming, for responder: any Responder
    ) {
        catalogue.noticeChangesSoon()
        let command = Command(
            invocation: invocation, lane: lane, input: incoming.input, redirection: incoming.redirection,
            separatesStreams: incoming.separatesStreams, timeout: incoming.timeout)
        do throws(Refusal) {
            let client = responder.client
            try executor.submit(command, from: client.submitter, peer: client.peer, observer: responder)
        } catch {
            refuse(error, incoming.arguments, for: responder)
        }
    }

    private func awaitCatalogue(_ incoming: Incoming, for responder: any Responder) {
        whenKnown(incoming, for: responder) { [self] in carryOut($0, incoming, for: responder) }
    }

    /// A name that the catalogue lacks may be newer than the catalogue. `completion` gets a verdict that is not
    /// `unknown`.
    private func whenKnown(
        _ incoming: Incoming, for responder: any Responder, _ completion: @escaping (Verdict) -> Void
    ) {
        whenCurrent(responder) { [self] failure in
            if let failure { return completion(.refuse(failure)) }
            let verdict = verdict(on: incoming, for: responder)
            if case .unknown(let invocation) = verdict {
                completion(.refuse(.unknownCommand(invocation.name, on: responder.client.options)))
            } else {
                completion(verdict)
            }
        }
    }

    /// Says whether a request is refused whatever its input holds.
    private func whenJudged(
        _ incoming: Incoming, for responder: any Responder, _ completion: @escaping (Refusal?) -> Void
    ) {
        let verdict = verdict(on: incoming, for: responder)
        if case .unknown = verdict {
            return whenKnown(incoming, for: responder) { completion($0.refusal) }
        }
        completion(verdict.refusal ?? (executor.isStopping ? .shuttingDown : nil))
    }

    /// Waits for the catalogue, as long as a request may.
    private func whenCurrent(_ responder: any Responder, _ completion: @escaping (Refusal?) -> Void) {
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

    private func answer(_ builtin: Builtin, _ incoming: Incoming, for responder: any Responder) {
        switch builtin {
        case .commands:
            whenCurrent(responder) { [self] failure in
                if let failure, catalogue.current == nil { return responder.refuse(failure) }
                responder.answer(catalogue.current?.listedNames.joined(separator: "\n") ?? "")
            }
        case .refresh:
            catalogue.refresh { [self] failure in
                let peer = responder.client.peer
                if let failure {
                    log.refused("refresh", peer: peer, failure)
                    return responder.refuse(failure)
                }
                let text = "Refreshed commands"
                log.answered("refresh", peer: peer, answer: text)
                responder.answer(text)
            }
        case .cancel(let number):
            let title = "daemon:cancel \(number)"
            guard let job = executor.job(number: number) else {
                let refusal = Refusal(code: .invalidRequest, text: "No job \(number) waits or runs")
                log.refused(title, peer: responder.client.peer, refusal)
                return responder.refuse(refusal)
            }
            let text = "Cancelled job \(number)"
            log.answered(title, peer: responder.client.peer, answer: text)
            executor.interrupt(job, Refusal(code: .cancelled, text: "The command was cancelled"))
            responder.answer(text)
        case .version, .status, .queue, .help:
            responder.answer(builtins.answer(builtin) ?? "")
        }
    }

    private func refuse(
        _ refusal: Refusal, _ arguments: ArgumentList, isUnderstood: Bool = true, for responder: any Responder
    ) {
        let title = Redaction.describe(
            arguments, isUnderstood: isUnderstood && refusal.code != .invalidCommand)
        log.refused(title, peer: responder.client.peer, refusal)
        responder.refuse(refusal)
    }
}

extension Verdict {
    fileprivate var refusal: Refusal? { if case .refuse(let refusal) = self { refusal } else { nil } }
}

extension Refusal {
    /// What is told of a line that was thrown away.
    static func skippedLine(_ fault: LineFramer.Fault, _ limit: Int) -> Refusal {
        switch fault {
        case .tooLong: Refusal(code: .lineTooLong, text: "The line is longer than \(limit) bytes")
        case .crowdedOut:
            Refusal(
                code: .bufferFull,
                text: "The line was dropped, since all clients together hold too much of unfinished lines")
        case .unfinished: .shuttingDown
        }
    }

    static func inputTooLong(_ limit: Int) -> Refusal {
        Refusal(
            code: .inputTooLong, text: "The input is longer than \(limit) bytes, or than what is left for it")
    }
}

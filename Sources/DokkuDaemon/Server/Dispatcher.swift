// From a line to what becomes of it: parsed, judged, and handed to a built-in, to the executor, or back as a
// refusal.
import Glibc

final class Dispatcher {
    private let executor: Executor
    private let catalogue: CatalogueKeeper
    private let builtins: Builtins
    private let judge: Judge
    private let log: AuditLog
    /// Reused for each plain line.
    private var words = ArgumentList()

    init(
        executor: Executor, catalogue: CatalogueKeeper, builtins: Builtins, judge: Judge, log: AuditLog
    ) {
        self.executor = executor
        self.catalogue = catalogue
        self.builtins = builtins
        self.judge = judge
        self.log = log
    }

    /// A parsed request on its way.
    struct Incoming {
        var arguments: ArgumentList
        var form: RequestForm
        var redirection: Redirection?
        var input: Spool?
        var separatesStreams = false
        var timeout: Duration?
        /// What it holds in memory beside its words: its id, its input.
        var attachedBytes = 0
        var reservation: Reservation?

        /// What it takes while it waits, objects and all.
        var memory: Int { 1024 + arguments.memory + attachedBytes }
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
        let verdict = judge.verdict(on: words, form, client.options)
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
            switch error.following {
            case .nothing: break
            case .bytes(let count): client.expectInput(.bytes(count), for: BodyReceiver())
            case .unknown: client.expectNothing()
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
        if case .text(let id) = request.id { incoming.attachedBytes = id.utf8.count }
        switch request.input {
        case nil:
            decide(incoming, for: responder)
        case .bytes(let bytes):
            let spool = Spool(account: client.account)
            guard bytes.count <= client.inputLimit, spool.keep({ $0.append(contentsOf: bytes) }) else {
                return refuse(.inputTooLong(client.inputLimit), incoming.arguments, for: responder)
            }
            incoming.input = spool
            incoming.attachedBytes += bytes.count
            decide(incoming, for: responder)
        case .following(let count):
            guard count <= client.inputLimit else {
                refuse(.inputTooLong(client.inputLimit), incoming.arguments, for: responder)
                return client.expectInput(.bytes(count), for: BodyReceiver())
            }
            // What is refused in any case takes up no room for its input.
            if let refusal = judge.verdict(on: request.command, incoming.form, client.options).refusal {
                refuse(refusal, incoming.arguments, for: responder)
                return client.expectInput(.bytes(count), for: BodyReceiver())
            }
            incoming.attachedBytes += Self.inputInMemory
            guard let incoming = reserved(incoming, for: responder) else {
                return client.expectInput(.bytes(count), for: BodyReceiver())
            }
            client.expectInput(.bytes(count), for: receiver(incoming, for: responder))
        case .chunks:
            incoming.attachedBytes += Self.inputInMemory
            guard let incoming = reserved(incoming, for: responder) else { return }
            client.holdBack()
            judge.whenKnown(request.command, incoming.form, client.options) { [self, incoming] verdict in
                if let refusal = verdict.refusal ?? (executor.isStopping ? .shuttingDown : nil) {
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
        return BodyReceiver(
            into: Spool(account: client.account), limit: client.inputLimit, patience: client.inputTime,
            loop: client.loop
        ) { [self] result in
            switch result {
            case .success(let spool):
                var incoming = incoming
                incoming.input = spool
                decide(incoming, for: responder)
            case .failure(let refusal):
                refuse(refusal, incoming.arguments, for: responder)
            }
        }
    }

    // MARK: Memory

    /// As much of the input of many is in memory, and the rest in files.
    private static let inputInMemory = 4 * 1024

    /// The request, which holds its memory from here on until it is done with; nil where that is too much, and it was
    /// refused.
    private func reserved(_ incoming: Incoming, for responder: any Responder) -> Incoming? {
        if incoming.reservation != nil { return incoming }
        var incoming = incoming
        incoming.reservation = Reservation(incoming.memory, of: responder.client.words)
        if incoming.reservation != nil { return incoming }
        refuse(.memoryFull, incoming.arguments, for: responder)
        return nil
    }

    // MARK: Verdicts

    private func decide(_ incoming: Incoming, for responder: any Responder) {
        let verdict = judge.verdict(on: incoming.arguments, incoming.form, responder.client.options)
        carryOut(verdict, incoming, for: responder)
    }

    private func carryOut(_ verdict: Verdict, _ incoming: Incoming, for responder: any Responder) {
        switch verdict {
        case .builtin(let builtin): answer(builtin, incoming, for: responder)
        case .refuse(let refusal): refuse(refusal, incoming.arguments, for: responder)
        case .run(let invocation, let lane): run(invocation, lane, incoming, for: responder)
        case .unknown:
            guard let incoming = reserved(incoming, for: responder) else { return }
            judge.whenKnown(incoming.arguments, incoming.form, responder.client.options) { [self, incoming] in
                carryOut($0, incoming, for: responder)
            }
        }
    }

    private func run(
        _ invocation: Invocation, _ lane: Lane, _ incoming: Incoming, for responder: any Responder
    ) {
        catalogue.noticeChangesSoon()
        guard let incoming = reserved(incoming, for: responder) else { return }
        let command = Command(
            invocation: invocation, lane: lane, input: incoming.input, redirection: incoming.redirection,
            separatesStreams: incoming.separatesStreams, timeout: incoming.timeout,
            reservation: incoming.reservation)
        do throws(Refusal) {
            let client = responder.client
            try executor.submit(command, from: client.submitter, peer: client.peer, observer: responder)
        } catch {
            refuse(error, incoming.arguments, for: responder)
        }
    }

    private func answer(_ builtin: Builtin, _ incoming: Incoming, for responder: any Responder) {
        switch builtin {
        case .commands:
            guard let incoming = reserved(incoming, for: responder) else { return }
            judge.whenCurrent { [self, incoming] failure in
                if let failure, catalogue.current == nil { return responder.refuse(failure) }
                withExtendedLifetime(incoming) { responder.answer(builtins.commands()) }
            }
        case .refresh:
            guard let incoming = reserved(incoming, for: responder) else { return }
            catalogue.refresh { [self, incoming] failure in
                withExtendedLifetime(incoming) { didRefresh(failure, for: responder) }
            }
        case .cancel(let number):
            let title = "daemon:cancel \(number)"
            guard let job = executor.job(number: number) else {
                let refusal = Refusal(code: .invalidRequest, text: "No job \(number) waits or runs")
                log.refused(title, peer: responder.client.peer, refusal)
                return responder.refuse(refusal)
            }
            // Its process is over, and its end stays as it was.
            let text =
                job.status == nil
                ? "Cancelled job \(number)" : "Job \(number) has ended; more of its output is not waited for"
            log.answered(title, peer: responder.client.peer, answer: text)
            job.interrupt(Refusal(code: .cancelled, text: "The command was cancelled"))
            responder.answer(text)
        case .version, .status, .queue, .help:
            if let answer = builtins.answer(builtin) { responder.answer(answer) }
        }
    }

    private func didRefresh(_ failure: Refusal?, for responder: any Responder) {
        let peer = responder.client.peer
        if let failure {
            log.refused("refresh", peer: peer, failure)
            return responder.refuse(failure)
        }
        let text = "Refreshed commands"
        log.answered("refresh", peer: peer, answer: text)
        responder.answer(text)
    }

    private func refuse(
        _ refusal: Refusal, _ arguments: ArgumentList, isUnderstood: Bool = true, for responder: any Responder
    ) {
        let title = Redaction.describe(
            arguments,
            isUnderstood: isUnderstood && refusal.code != .invalidCommand && judge.knows(arguments))
        log.refused(title, peer: responder.client.peer, refusal)
        responder.refuse(refusal)
    }
}

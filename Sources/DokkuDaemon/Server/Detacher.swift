// Takes requests whose jobs outlive their clients: the input goes into the archive first, then the job, and then the
// client gets the job's number.
import DokkuProtocol

final class Detacher {
    private let executor: Executor
    private let archive: Archive
    private let followers: Followers
    private let turns: Turns
    /// What all waiting requests may hold in memory.
    private let words: Budget

    /// Bytes of an input that are written in one turn of the loop.
    private static let stepSize = 256 * 1024

    init(
        executor: Executor, archive: Archive, followers: Followers, turns: Turns, words: Budget
    ) {
        self.executor = executor
        self.archive = archive
        self.followers = followers
        self.turns = turns
        self.words = words
    }

    /// `completion` gets the number of the job once that is on disk. Meanwhile nothing more of the client is taken, so
    /// its requests keep their order.
    func submit(
        _ command: Command, from client: any Requester,
        _ completion: @escaping (Result<UInt64, Refusal>) -> Void
    ) {
        let isPaused = client.pause()
        begin(command, from: client) { result in
            if isPaused { client.resume() }
            completion(result)
        }
    }

    private func begin(
        _ command: Command, from client: any Requester,
        _ completion: @escaping (Result<UInt64, Refusal>) -> Void
    ) {
        turns.add { [self] in
            do throws(Refusal) {
                if executor.isStopping { throw .shuttingDown }
                guard case .spool(let spool) = command.request.input else {
                    return completion(.success(try accept(command, nil, from: client)))
                }
                let input = try archive.beginInput(isRestricted: client.rules.isRestricted)
                move(spool, into: input, of: command, from: client, completion)
            } catch {
                completion(.failure(error))
            }
        }
    }

    private func move(
        _ spool: Spool, into input: StoredInput, of command: Command, from client: any Requester,
        _ completion: @escaping (Result<UInt64, Refusal>) -> Void
    ) {
        do throws(Refusal) {
            if executor.isStopping { throw .shuttingDown }
            let part = try read(spool)
            try archive.append(part[...], to: input)
            if spool.count > 0 {
                turns.add { [self] in
                    move(spool, into: input, of: command, from: client, completion)
                }
            } else {
                completion(.success(try accept(command, input, from: client)))
            }
        } catch {
            archive.drop(input)
            completion(.failure(error))
        }
    }

    private func read(_ spool: Spool) throws(Refusal) -> [UInt8] {
        do throws(SystemError) {
            return try spool.take(Self.stepSize)
        } catch {
            throw Refusal(code: .storageFailed, text: "The input could not be read back: \(error)")
        }
    }

    private func accept(
        _ command: Command, _ input: StoredInput?, from client: any Requester
    ) throws(Refusal) -> UInt64 {
        try archive.prepare()
        var command = command
        command.request.isDetached = true
        command.request.separatesStreams = true
        if input != nil {
            command.request.input = .kept(KeptInput(of: executor.nextNumber, archive: archive))
        }
        let recorder = Recorder(archive: archive, followers: followers, input: input)
        return try executor.submit(command, from: client.submitter, peer: client.peer, observer: recorder)
            .number
    }

    /// Waiting jobs of the last daemon. They were accepted, so they run even if their words are too many for the budget.
    func takeOver() {
        let commands = archive.takeWaiting().compactMap { kept, stored -> AcceptedCommand? in
            let input = RunInput.kept(KeptInput(of: kept.number, archive: archive))
            guard var command = stored.command(input: input) else { return nil }
            command.request.reservation = Reservation(
                anyway: Incoming.memory(of: command.invocation.arguments), of: words)
            return AcceptedCommand(
                number: kept.number, command: command, peer: kept.peer, date: kept.queuedDate,
                observer: Recorder(archive: archive, followers: followers))
        }
        if !commands.isEmpty { executor.takeOver(commands) }
    }
}

// A line of waiting commands, and its fairness. It holds at most one waiting command of each submitter. When that one
// leaves, the submitter's next one enters at the tail. So a thousand commands of one client delay another client by
// only one.
import DokkuProtocol

final class CommandQueue {
    /// The waiting commands of one submitter.
    private struct Line {
        /// The one in the queue.
        var turn: Job
        var held: [Job] = []
    }

    /// One of each submitter, in the order of their turns.
    private(set) var turns: [Job] = []
    private var lines: [ObjectIdentifier: Line] = [:]
    /// All waiting commands, in the queue and held back.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Adds a command, or throws if there are too many.
    func append(_ job: Job) throws(Refusal) {
        guard job.submitter.places.take(1) else { throw .queueFull }
        count += 1
        let submitter = ObjectIdentifier(job.submitter)
        if lines[submitter] == nil {
            lines[submitter] = Line(turn: job)
            turns.append(job)
        } else {
            lines[submitter]?.held.append(job)
        }
    }

    /// Removes a command that waits here, to start it or to give it up. False if it does not.
    @discardableResult
    func remove(_ job: Job) -> Bool {
        let submitter = ObjectIdentifier(job.submitter)
        guard let line = lines[submitter] else { return false }
        if line.turn === job {
            if let index = turns.firstIndex(where: { $0 === job }) { turns.remove(at: index) }
            lines[submitter] = line.held.first.map { Line(turn: $0, held: Array(line.held.dropFirst())) }
            if let next = line.held.first { turns.append(next) }
        } else {
            guard let index = line.held.firstIndex(where: { $0 === job }) else { return false }
            lines[submitter]?.held.remove(at: index)
        }
        count -= 1
        job.submitter.places.give(1)
        return true
    }

    private func held(behind turn: Job) -> [Job] { lines[ObjectIdentifier(turn.submitter)]?.held ?? [] }

    /// The command's position if nobody else sends one: 1 starts next. 0 if it does not wait here.
    func position(of job: Job) -> Int {
        if let index = turns.firstIndex(where: { $0 === job }) { return index + 1 }
        guard let line = lines[ObjectIdentifier(job.submitter)],
            let rank = line.held.firstIndex(where: { $0 === job }),
            let place = turns.firstIndex(where: { $0 === line.turn })
        else { return 0 }
        // Before it come all commands now in the queue, `rank` more of each submitter, and one more of each
        // submitter that has an earlier turn.
        return turns.enumerated().reduce(turns.count + 1) { sum, entry in
            sum + min(held(behind: entry.element).count, entry.offset < place ? rank + 1 : rank)
        }
    }

    /// All waiting commands, in the order in which they start if nobody else sends one.
    var waiting: [Job] {
        var order = turns
        let helds = turns.map(held)
        let rounds = helds.lazy.map(\.count).max() ?? 0
        for round in 0..<rounds { order += helds.compactMap { round < $0.count ? $0[round] : nil } }
        return order
    }
}
